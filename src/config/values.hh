#pragma once
/// From the text of an option to its value. The errors name the mistake, not the option.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "config/config.hh"
#include "config/option_table.hh"

namespace amt {

/// The intervals that queries can announce. RFC 3376 §4.1.7: the range of the floating-point code, in seconds.
inline constexpr std::uint64_t kQueryIntervalSecondsMax = 31744;
/// RFC 3376 §4.1.6: three bits, and 0 means "unset".
inline constexpr std::uint64_t kRobustnessMax = 7;

[[nodiscard]] ValueResult<IpAddress> parse_address(std::string_view text);
/// An address that a socket may be bound to and others may send to: neither multicast, unspecified, nor link-local
/// IPv6.
[[nodiscard]] ValueResult<IpAddress> parse_unicast_address(std::string_view text);
/// `ADDR`, `ADDR:PORT`, `[V6]:PORT`, unicast; a missing port is 0, a given one is not.
[[nodiscard]] ValueResult<Endpoint> parse_unicast_endpoint(std::string_view text);
/// The same, or `NAME`, `NAME:PORT` with a host name.
[[nodiscard]] ValueResult<RelayHost> parse_relay_host(std::string_view text);
/// `GROUP:PORT`, `[V6GROUP]:PORT`; the port must be there.
[[nodiscard]] ValueResult<Endpoint> parse_group_endpoint(std::string_view text);
/// `ADDR` or `ADDR/LENGTH`, of any kind.
[[nodiscard]] ValueResult<Prefix> parse_prefix(std::string_view text);
[[nodiscard]] ValueResult<Prefix> parse_multicast_prefix(std::string_view text);
/// A unicast address that an interface may have, and its subnet; without a length a single address.
[[nodiscard]] ValueResult<Prefix> parse_own_address(std::string_view text);
/// A host's address and its subnet, with room for a neighbour (`neighbour_in`).
[[nodiscard]] ValueResult<Prefix> parse_interface_address(std::string_view text);
/// As the kernel takes names: 1 to 15 octets, no slash, colon or space, not `.` or `..`.
[[nodiscard]] ValueResult<std::string> parse_interface_name(std::string_view text);
[[nodiscard]] ValueResult<std::string> parse_path(std::string_view text);
/// `unix:PATH`, `ADDR:PORT` or `[V6]:PORT`, or `PORT` alone for 127.0.0.1.
[[nodiscard]] ValueResult<ListenPlace> parse_listen_place(std::string_view text);
[[nodiscard]] ValueResult<std::string> parse_host_name(std::string_view text);
/// Decimal, `low` to `high`.
[[nodiscard]] ValueResult<std::uint64_t> parse_number(std::string_view text, std::uint64_t low, std::uint64_t high);
/// With a decimal point or without, `low` to `high`.
[[nodiscard]] ValueResult<double> parse_decimal(std::string_view text, double low, double high);
/// Seconds, with a decimal point or a unit (`ms`, `s`, `m`, `h`); more than zero, at most a year.
[[nodiscard]] ValueResult<Duration> parse_duration(std::string_view text);
/// Bits per second, with `k`, `M` or `G` for powers of 1000: `5M`, `1.5M`, `500k`.
[[nodiscard]] ValueResult<std::uint64_t> parse_bit_rate(std::string_view text);
/// `amt://[SOURCE@]GROUP[:PORT][?relay=ADDR|NAME[:PORT]]`; the scheme, in any case of letters, may be missing.
[[nodiscard]] ValueResult<ChannelUrl> parse_channel_url(std::string_view text);
/// The address of a multicast source, or a channel URL that names one.
[[nodiscard]] ValueResult<IpAddress> parse_source(std::string_view text);
/// `-`, `udp://ADDR:PORT`, or a file name.
[[nodiscard]] ValueResult<ReceiveOutput> parse_receive_output(std::string_view text);
[[nodiscard]] ValueResult<LogLevel> parse_log_level(std::string_view text);
[[nodiscard]] ValueResult<GatewayFields> parse_gateway_fields(std::string_view text);
[[nodiscard]] ValueResult<DataPath> parse_data_path(std::string_view text);
/// `auto`, `link`, or octets.
[[nodiscard]] ValueResult<PathMtuChoice> parse_path_mtu(std::string_view text);
[[nodiscard]] ValueResult<StatsFormat> parse_stats_format(std::string_view text);
[[nodiscard]] ValueResult<RtpChoice> parse_rtp_choice(std::string_view text);
[[nodiscard]] ValueResult<Dnssec> parse_dnssec(std::string_view text);
[[nodiscard]] ValueResult<BenchTask> parse_bench_task(std::string_view text);
/// One of these words, as it stands.
[[nodiscard]] ValueResult<std::string> parse_word(std::string_view text, const std::vector<std::string>& words);

/// The `apply` of an option whose value goes to `field`.
template <typename Field, typename Parse>
auto into(Field& field, Parse parse) {
  return [&field, parse](std::string_view text) -> ValueResult<void> {
    auto value = parse(text);
    if (!value) return Unexpected<BadValue>(std::move(value.error()));
    field = static_cast<Field>(std::move(*value));
    return {};
  };
}

/// The same for a repeatable option; a value that is there already is not added again.
template <typename List, typename Parse>
auto append_to(List& list, Parse parse) {
  return [&list, parse](std::string_view text) -> ValueResult<void> {
    auto value = parse(text);
    if (!value) return Unexpected<BadValue>(std::move(value.error()));
    for (const auto& present : list) {
      if (present == *value) return {};
    }
    list.push_back(std::move(*value));
    return {};
  };
}

/// The same for a number in a range.
template <typename Field>
auto number_into(Field& field, std::uint64_t low, std::uint64_t high) {
  return into(field, [low, high](std::string_view text) { return parse_number(text, low, high); });
}

inline auto switch_on(bool& field) {
  return [&field](std::string_view) -> ValueResult<void> {
    field = true;
    return {};
  };
}

}  // namespace amt
