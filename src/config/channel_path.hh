#pragma once
/// The paths of `amt serve` that name a channel.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.hh"
#include "config/option_table.hh"

namespace amt {

struct ChannelPath {
  /// With a port.
  ChannelUrl url;
  /// The part after the channel, without the slash: "index.m3u8"; empty: the stream itself.
  std::string file{};
};

/// `path`: of an HTTP request, as it came, behind the first word: `SOURCE@GROUP:PORT` of `/amt/SOURCE@GROUP:PORT`. IPv6
/// addresses in brackets; any octet may be percent-encoded. `query`: the text after the `?`; `relay=ADDR[:PORT]` is
/// taken, other parameters are a player's own and ignored. Error: the mistake, for a person.
[[nodiscard]] ValueResult<ChannelPath> parse_channel_path(std::string_view path, std::string_view query);

/// RFC 3986 §2.1. Nothing: a percent sign without two hexadecimal digits, or a control octet.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

/// `SOURCE@GROUP:PORT` as it may stand in a path and in a playlist: brackets stay, every player takes them.
[[nodiscard]] std::string channel_path(const Channel& channel, std::uint16_t port);

}  // namespace amt
