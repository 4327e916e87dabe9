#include <algorithm>

#include "config/values.hh"

namespace amt {
namespace {

constexpr std::string_view kNotAnAddress = "not an IPv4 or IPv6 address";

Unexpected<BadValue> bad(std::string_view problem) { return Unexpected<BadValue>(BadValue{std::string(problem)}); }

/// Does `text`, an address with or without a port, have a port? Several colons without brackets are an IPv6 address.
bool names_a_port(std::string_view text) {
  if (text.starts_with('[')) return !text.ends_with(']');
  return text.find(':') != std::string_view::npos && text.find(':') == text.rfind(':');
}

/// `text` without its brackets, when it has both.
std::string_view without_brackets(std::string_view text) {
  return text.size() >= 2 && text.starts_with('[') && text.ends_with(']') ? text.substr(1, text.size() - 2) : text;
}

std::optional<std::string_view> unicast_problem(const IpAddress& address) {
  if (address.is_unspecified()) return "the unspecified address cannot be used here; name one address";
  if (address.is_multicast()) return "a multicast address cannot be used here; name a unicast address";
  if (address.is_broadcast()) return "the broadcast address cannot be used here; name a unicast address";
  if (address.family() == Family::kIpv6 && address.is_link_local()) {
    return "a link-local IPv6 address cannot be used here; name a global or unique-local one";
  }
  return std::nullopt;
}

/// A host name, not a mistyped address: letters, digits, hyphens and dots, and not digits alone after the last dot.
bool is_host_name(std::string_view text) {
  constexpr std::size_t kNameOctetsMax = 253;
  constexpr std::size_t kLabelOctetsMax = 63;
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty() || text.size() > kNameOctetsMax) return false;
  for (;;) {
    const std::string_view label = text.substr(0, text.find('.'));
    const bool clean = std::all_of(label.begin(), label.end(), [](unsigned char c) {
      return c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    });
    if (label.empty() || label.size() > kLabelOctetsMax || label.front() == '-' || !clean) return false;
    if (label.size() == text.size()) return label.find_first_not_of("0123456789") != std::string_view::npos;
    text.remove_prefix(label.size() + 1);
  }
}

/// Why `group`, or `group` with any source, cannot be joined.
std::optional<std::string> group_problem(const IpAddress& group, bool has_source) {
  if (!group.is_multicast()) return group.to_string() + " is no multicast group (224.0.0.0/4 or ff00::/8)";
  if (!is_forwardable_group(group)) {
    return group.to_string() + " is a reserved or link-local group, which does not cross a tunnel";
  }
  if (!has_source && SsmRange().contains(group)) {
    return group.to_string() + " is source-specific (SSM): the URL must name the source, SOURCE@GROUP";
  }
  return std::nullopt;
}

/// An IPv6 address without brackets that, cut at its last colon, is an address and a port that streams have as well: it
/// is unknown which is meant.
std::optional<std::string> ambiguity(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (text.starts_with('[') || text.find(':') == colon) return std::nullopt;
  const std::string address(text.substr(0, colon));
  const std::string port(text.substr(colon + 1));
  constexpr std::uint64_t kFirstUserPort = 1024;
  if (!IpAddress::parse(address) || !parse_number(port, kFirstUserPort, 65535)) return std::nullopt;
  return "an IPv6 group takes square brackets: [" + address + "]:" + port + " with a port, or [" + std::string(text) +
         "] without one";
}

/// `GROUP`, `GROUP:PORT`, `[V6]`, `[V6]:PORT`, each with `:` and nothing behind it, too.
ValueResult<ChannelUrl> parse_group_and_port(std::string_view text) {
  const bool port_is_empty = text.ends_with("]:") || (text.ends_with(':') && text.find(':') == text.size() - 1);
  if (port_is_empty) text.remove_suffix(1);
  if (const auto problem = ambiguity(text)) return bad(*problem);
  const std::optional<Endpoint> endpoint = Endpoint::parse(text, 0);
  if (!endpoint) {
    const bool bare_v6 = !text.starts_with('[') && text.find(':') != text.rfind(':');
    return bad(bare_v6 ? "the group is not an IPv6 address (with a port it takes brackets: [ff3e::1]:5001)"
                       : "the group is not an IPv4 or IPv6 address, or its port is not 1 to 65535");
  }
  ChannelUrl url;
  url.channel.group = endpoint->address;
  const bool port_given = names_a_port(text);
  if (port_given && endpoint->port == 0) return bad("the port is not 1 to 65535");
  if (port_given) url.port = endpoint->port;
  return url;
}

/// Takes `amt://` off; false: it is another scheme. RFC 3986 §3.1: "schemes are case-insensitive".
bool take_scheme(std::string_view& text) {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos) return true;
  constexpr std::string_view kScheme = "amt";
  const bool is_ours = std::ranges::equal(text.substr(0, end), kScheme, {}, [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  text.remove_prefix(end + 3);
  return is_ours;
}

/// The text after the `?` of a URL: `relay=ADDR[:PORT]`, or nothing.
ValueResult<std::optional<RelayHost>> parse_url_query(std::string_view query) {
  constexpr std::string_view kRelay = "relay=";
  if (query.empty()) return std::nullopt;
  if (!query.starts_with(kRelay)) return bad("after ? only relay=ADDR[:PORT] may follow");
  ValueResult<RelayHost> relay = parse_relay_host(query.substr(kRelay.size()));
  if (!relay) return bad("relay=: " + relay.error().problem);
  return std::optional(std::move(*relay));
}

}  // namespace

ValueResult<IpAddress> parse_address(std::string_view text) {
  const std::optional<IpAddress> address = IpAddress::parse(text);
  if (!address) return bad(kNotAnAddress);
  return *address;
}

ValueResult<IpAddress> parse_unicast_address(std::string_view text) {
  const ValueResult<IpAddress> address = parse_address(text);
  if (!address) return address;
  if (const auto problem = unicast_problem(*address)) return bad(*problem);
  return address;
}

ValueResult<Endpoint> parse_unicast_endpoint(std::string_view text) {
  const std::optional<Endpoint> endpoint = Endpoint::parse(text, 0);
  const bool port_given = names_a_port(text);
  if (!endpoint || (port_given && endpoint->port == 0)) return bad("not an address, ADDR:PORT or [V6]:PORT");
  if (const auto problem = unicast_problem(endpoint->address)) return bad(*problem);
  return *endpoint;
}

ValueResult<ListenPlace> parse_listen_place(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) {
    ValueResult<std::string> path = parse_path(text.substr(kUnix.size()));
    if (!path) return Unexpected<BadValue>(path.error());
    return ListenPlace(std::move(*path));
  }
  const bool is_port = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (is_port) {
    const ValueResult<std::uint64_t> port = parse_number(text, 1, 65535);
    if (!port) return Unexpected<BadValue>(port.error());
    return ListenPlace(Endpoint{*IpAddress::parse("127.0.0.1"), static_cast<std::uint16_t>(*port)});
  }
  const std::optional<Endpoint> endpoint = Endpoint::parse(text, 0);
  if (!endpoint || endpoint->port == 0) return bad("not ADDR:PORT, [V6]:PORT, PORT or unix:PATH");
  if (endpoint->address.is_multicast()) return bad("a multicast address; name one of this host");
  return ListenPlace(*endpoint);
}

ValueResult<std::string> parse_host_name(std::string_view text) {
  if (!is_host_name(text)) return bad("not a host name; the port does not belong to it");
  return std::string(text);
}

ValueResult<RelayHost> parse_relay_host(std::string_view text) {
  std::string_view name = text;
  std::uint64_t port = 0;
  if (names_a_port(text) && !text.starts_with('[')) {
    const std::size_t colon = text.find(':');
    const ValueResult<std::uint64_t> given = parse_number(text.substr(colon + 1), 1, 65535);
    if (!given) return bad("the port is not 1 to 65535");
    name = text.substr(0, colon);
    port = *given;
  }
  if (is_host_name(name)) return RelayHost{std::string(name), static_cast<std::uint16_t>(port)};
  if (!Endpoint::parse(text, 0)) return bad("neither an address nor a host name, alone or with :PORT");
  const ValueResult<Endpoint> endpoint = parse_unicast_endpoint(text);
  if (!endpoint) return Unexpected<BadValue>(endpoint.error());
  return RelayHost{endpoint->address, endpoint->port};
}

std::string RelayHost::to_string() const {
  if (const auto* address = std::get_if<IpAddress>(&host)) return Endpoint{*address, port}.to_string();
  return std::get<std::string>(host) + ":" + std::to_string(port);
}

ValueResult<Endpoint> parse_group_endpoint(std::string_view text) {
  const std::optional<Endpoint> endpoint = Endpoint::parse(text, 0);
  if (!endpoint || endpoint->port == 0) return bad("not GROUP:PORT or [V6GROUP]:PORT with a port from 1 to 65535");
  if (!endpoint->address.is_multicast()) {
    return bad(endpoint->address.to_string() + " is no multicast group (224.0.0.0/4 or ff00::/8)");
  }
  return *endpoint;
}

ValueResult<Prefix> parse_prefix(std::string_view text) {
  const std::optional<Prefix> prefix = Prefix::parse(text);
  if (!prefix) return bad("not ADDR or ADDR/LENGTH");
  return *prefix;
}

ValueResult<Prefix> parse_multicast_prefix(std::string_view text) {
  const std::optional<Prefix> prefix = Prefix::parse(text);
  if (!prefix) return bad("not ADDR/LENGTH");
  const bool inside = prefix->address.is_multicast() && prefix->length >= (prefix->address.is_v4() ? 4 : 8);
  if (!inside) return bad("not a range of multicast groups (inside 224.0.0.0/4 or ff00::/8)");
  return *prefix;
}

ValueResult<Prefix> parse_own_address(std::string_view text) {
  const std::optional<Prefix> prefix = Prefix::parse(text);
  if (!prefix) return bad("not ADDR/LENGTH");
  const IpAddress& address = prefix->address;
  if (address.is_unspecified() || address.is_multicast() || address.is_loopback() || address.is_broadcast()) {
    return bad("not an address that an interface can have; name a unicast address");
  }
  return *prefix;
}

ValueResult<Prefix> parse_interface_address(std::string_view text) {
  const ValueResult<Prefix> prefix = parse_own_address(text);
  if (!prefix) return prefix;
  if (prefix->length == (prefix->address.is_v4() ? 32 : 128)) {
    return bad(text.find('/') == std::string_view::npos ? "not ADDR/LENGTH"
                                                        : "has no room for the neighbour that reports come from; name "
                                                          "a shorter LENGTH, at most " +
                                                              std::string(prefix->address.is_v4() ? "31" : "127"));
  }
  if (!neighbour_in(*prefix)) return bad("the address of the subnet itself, or its broadcast address; name a host's");
  return *prefix;
}

ValueResult<ChannelUrl> parse_channel_url(std::string_view text) {
  if (!take_scheme(text)) return bad("not an amt:// URL");
  std::string_view query;
  if (const std::size_t mark = text.find('?'); mark != std::string_view::npos) {
    query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  if (text.ends_with('/')) text.remove_suffix(1);  // players add it
  std::optional<IpAddress> source;
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    if (at > 0) {  // players write amt://@GROUP for "any source"
      source = IpAddress::parse(without_brackets(text.substr(0, at)));
      if (!source) return bad("the source is not an IPv4 or IPv6 address");
      if (const auto problem = unicast_problem(*source)) return bad("the source: " + std::string(*problem));
    }
    text.remove_prefix(at + 1);
  }
  ValueResult<ChannelUrl> url = parse_group_and_port(text);
  if (!url) return url;
  const IpAddress& group = url->channel.group;
  if (const auto problem = group_problem(group, source.has_value())) return bad(*problem);
  if (source && source->family() != group.family()) return bad("source and group are not of one address family");
  url->channel.source = source;
  ValueResult<std::optional<RelayHost>> relay = parse_url_query(query);
  if (!relay) return Unexpected<BadValue>(relay.error());
  url->relay = std::move(*relay);
  return url;
}

ValueResult<IpAddress> parse_source(std::string_view text) {
  const ValueResult<ChannelUrl> url = parse_channel_url(text);
  if (url && url->channel.source) return *url->channel.source;
  if (url) return bad("names a group and no source; the relays are found by the source's address");
  if (text.find('@') != std::string_view::npos) return Unexpected<BadValue>(url.error());
  return parse_unicast_address(without_brackets(text));
}

}  // namespace amt
