#include "config/channel_path.hh"

#include <algorithm>

#include "amt/endpoint.hh"
#include "config/values.hh"

namespace amt {
namespace {

Unexpected<BadValue> bad(std::string problem) { return Unexpected<BadValue>(BadValue{std::move(problem)}); }

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10U;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10U;
  return std::nullopt;
}

/// The relay of `relay=ADDR[:PORT]` among parameters that are joined by `&`.
ValueResult<std::optional<RelayHost>> relay_of(std::string_view query) {
  constexpr std::string_view kRelay = "relay=";
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    if (!one.starts_with(kRelay)) continue;
    const std::optional<std::string> text = percent_decoded(one.substr(kRelay.size()));
    if (!text) return bad("relay=: a percent sign takes two hexadecimal digits");
    // No name: to look one up would hold up everybody else.
    const ValueResult<Endpoint> relay = parse_unicast_endpoint(*text);
    if (!relay) return bad("relay=: " + relay.error().problem);
    return std::optional(RelayHost{relay->address, relay->port});
  }
  return std::optional<RelayHost>();
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '%') {
      if (at + 2 >= text.size()) return std::nullopt;
      const std::optional<unsigned> high = hex_digit(text[at + 1]);
      const std::optional<unsigned> low = hex_digit(text[at + 2]);
      if (!high || !low) return std::nullopt;
      c = static_cast<char>(*high << 4 | *low);
      at += 2;
    }
    constexpr unsigned char kFirstPrintable = 0x20;
    if (static_cast<unsigned char>(c) < kFirstPrintable || c == 0x7f) return std::nullopt;
    out += c;
  }
  return out;
}

ValueResult<ChannelPath> parse_channel_path(std::string_view path, std::string_view query) {
  // First apart, then decoded: an encoded slash is no separator.
  const std::size_t slash = std::min(path.find('/'), path.size());
  const std::optional<std::string> name = percent_decoded(path.substr(0, slash));
  const std::optional<std::string> file = percent_decoded(path.substr(std::min(slash + 1, path.size())));
  if (!name || !file) return bad("a percent sign takes two hexadecimal digits, and no control characters");
  if (name->find_first_of("?/") != std::string::npos) return bad("not [SOURCE@]GROUP:PORT");
  ValueResult<ChannelUrl> url = parse_channel_url(*name);
  if (!url) return Unexpected<BadValue>(url.error());
  if (!url->port) return bad("the UDP port is missing: GROUP:PORT, or [V6GROUP]:PORT");
  ValueResult<std::optional<RelayHost>> relay = relay_of(query);
  if (!relay) return Unexpected<BadValue>(relay.error());
  url->relay = std::move(*relay);
  return ChannelPath{std::move(*url), *file};
}

std::string channel_path(const Channel& channel, std::uint16_t port) {
  const std::string group = Endpoint{channel.group, port}.to_string();
  if (!channel.source) return group;
  const std::string source = channel.source->to_string();
  return (channel.source->is_v4() ? source : "[" + source + "]") + "@" + group;
}

}  // namespace amt
