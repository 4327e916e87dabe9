#include "amt/endpoint.hh"

#include <charconv>

namespace amt {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

std::optional<Endpoint> Endpoint::parse(std::string_view text, std::uint16_t default_port) {
  std::string_view address = text;
  std::optional<std::uint16_t> port = default_port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    address = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    if (!rest.empty()) port = parse_port(rest.substr(1));
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos && colon == text.rfind(':')) {
    address = text.substr(0, colon);
    port = parse_port(text.substr(colon + 1));
  }
  const std::optional<IpAddress> parsed = IpAddress::parse(address);
  if (!parsed || !port) return std::nullopt;
  if (text.starts_with('[') && parsed->is_v4()) return std::nullopt;
  return Endpoint{*parsed, *port};
}

std::string Endpoint::to_string() const {
  const std::string host = address.is_v4() ? address.to_string() : '[' + address.to_string() + ']';
  return host + ':' + std::to_string(port);
}

std::size_t hash_value(const Endpoint& endpoint) {
  return hash_value(endpoint.address) ^ (endpoint.port * std::size_t{0x9e3779b97f4a7c15U});
}

}  // namespace amt
