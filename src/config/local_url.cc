#include "config/local_url.hh"

#include <algorithm>

#include "amt/endpoint.hh"

namespace amt {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::uint16_t kHttpPort = 80;

bool has_scheme(std::string_view text, std::string_view scheme) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return text.size() >= scheme.size() && std::ranges::equal(text.substr(0, scheme.size()), scheme, {}, lower);
}

Unexpected<BadValue> bad(std::string problem) { return Unexpected<BadValue>(BadValue{std::move(problem)}); }

}  // namespace

bool is_http_url(std::string_view text) { return has_scheme(text, kScheme) || has_scheme(text, "https://"); }

ValueResult<LocalUrl> parse_local_url(std::string_view text) {
  if (!has_scheme(text, kScheme)) return bad("only http:// from this host itself (download it, and name the file)");
  const auto is_no_url = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '#'; };
  if (std::ranges::any_of(text, is_no_url)) return bad("not a URL");
  text.remove_prefix(kScheme.size());
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  LocalUrl url{.server = {}, .host = std::string(text.substr(0, end)), .target = std::string(text.substr(end))};
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  std::string place = url.host;
  constexpr std::string_view kLocalhost = "localhost";
  if (place == kLocalhost || place.starts_with("localhost:")) place.replace(0, kLocalhost.size(), "127.0.0.1");
  const std::optional<Endpoint> server = Endpoint::parse(place, kHttpPort);
  if (!server || server->port == 0 || !server->address.is_loopback()) {
    return bad("not on this host: 127.0.0.1, [::1] or localhost (download it, and name the file)");
  }
  url.server = *server;
  return url;
}

}  // namespace amt
