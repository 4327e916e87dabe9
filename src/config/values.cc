#include "config/values.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

namespace amt {
namespace {

Unexpected<BadValue> bad(std::string problem) { return Unexpected<BadValue>(BadValue{std::move(problem)}); }

/// A decimal number with an optional fraction at the start of `text`, which is moved past it.
std::optional<double> take_decimal(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  if (digits == 0) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + digits) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

/// The choice called `text`, or an error that lists them all.
template <typename T, std::size_t N>
ValueResult<T> choose(std::string_view text, const std::array<std::pair<std::string_view, T>, N>& choices) {
  std::string names;
  for (std::size_t i = 0; i < N; ++i) {
    if (choices[i].first == text) return choices[i].second;
    names += i == 0 ? "" : i + 1 == N ? " or " : ", ";
    names += choices[i].first;
  }
  return bad("must be " + names);
}

}  // namespace

ValueResult<std::string> parse_interface_name(std::string_view text) {
  constexpr std::size_t kNameOctetsMax = 15;  // IFNAMSIZ less the terminating zero
  if (text.empty() || text == "." || text == ".." || text.starts_with('-')) return bad("not an interface name");
  if (text.size() > kNameOctetsMax) return bad("not an interface name: longer than 15 characters");
  const bool clean = std::all_of(text.begin(), text.end(),
                                 [](char c) { return c > ' ' && c != '/' && c != ':' && c != '%' && c != '\x7f'; });
  if (!clean) return bad("not an interface name");
  return std::string(text);
}

ValueResult<std::string> parse_path(std::string_view text) {
  if (text.empty()) return bad("the name is empty");
  if (text.find('\0') != std::string_view::npos) return bad("not a file name");
  return std::string(text);
}

ValueResult<std::uint64_t> parse_number(std::string_view text, std::uint64_t low, std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size() && value >= low && value <= high) return value;
  if (high == std::numeric_limits<std::uint64_t>::max()) {
    return bad("not a whole number of at least " + std::to_string(low));
  }
  return bad("not a whole number from " + std::to_string(low) + " to " + std::to_string(high));
}

ValueResult<double> parse_decimal(std::string_view text, double low, double high) {
  const std::optional<double> value = take_decimal(text);
  if (value && text.empty() && *value >= low && *value <= high) return *value;
  std::ostringstream problem;
  problem << "not a number from " << low << " to " << high;
  return bad(problem.str());
}

ValueResult<Duration> parse_duration(std::string_view text) {
  constexpr double kSecondsMax = 366.0 * 86400;
  const std::optional<double> value = take_decimal(text);
  const double unit = text.empty() || text == "s" ? 1
                      : text == "ms"              ? 0.001
                      : text == "m"               ? 60
                      : text == "h"               ? 3600
                                                  : 0;
  if (!value || unit == 0) return bad("not a time in seconds (or with a unit: 500ms, 90s, 5m, 1h)");
  const double seconds = *value * unit;
  if (seconds < 1e-9 || seconds > kSecondsMax) return bad("must be more than 0 seconds and at most a year");
  return Duration(static_cast<Duration::rep>(std::llround(seconds * 1e9)));
}

ValueResult<std::uint64_t> parse_bit_rate(std::string_view text) {
  constexpr double kBitsPerSecondMax = 1e12;
  const std::optional<double> value = take_decimal(text);
  const double unit = text.empty() ? 1 : text == "k" || text == "K" ? 1e3 : text == "M" ? 1e6 : text == "G" ? 1e9 : 0;
  if (!value || unit == 0) return bad("not a rate in bits per second (5000000, 500k, 5M, 1G)");
  const double rate = *value * unit;
  if (rate < 1 || rate > kBitsPerSecondMax) return bad("must be at least 1 bit and at most 1000 Gbit per second");
  return static_cast<std::uint64_t>(std::llround(rate));
}

ValueResult<ReceiveOutput> parse_receive_output(std::string_view text) {
  constexpr std::string_view kUdpScheme = "udp://";
  if (text == "-") return ReceiveOutput{};
  if (text.starts_with(kUdpScheme)) {
    text.remove_prefix(kUdpScheme.size());
    if (text.starts_with('@')) text.remove_prefix(1);  // as players write it
    const std::optional<Endpoint> endpoint = Endpoint::parse(text, 0);
    if (!endpoint || endpoint->port == 0) return bad("not udp://ADDR:PORT or udp://[V6]:PORT");
    if (endpoint->address.is_unspecified()) return bad("cannot send to the unspecified address");
    return ReceiveOutput{ReceiveOutput::Kind::kUdp, {}, *endpoint};
  }
  if (text.find("://") != std::string_view::npos) return bad("not -, a file name, or udp://ADDR:PORT");
  auto path = parse_path(text);
  if (!path) return Unexpected<BadValue>(path.error());
  return ReceiveOutput{ReceiveOutput::Kind::kFile, *path, {}};
}

ValueResult<LogLevel> parse_log_level(std::string_view text) {
  return choose<LogLevel, 5>(text, {{{"trace", LogLevel::kTrace},
                                     {"debug", LogLevel::kDebug},
                                     {"info", LogLevel::kInfo},
                                     {"warn", LogLevel::kWarn},
                                     {"error", LogLevel::kError}}});
}

ValueResult<GatewayFields> parse_gateway_fields(std::string_view text) {
  return choose<GatewayFields, 3>(
      text, {{{"auto", GatewayFields::kAuto}, {"always", GatewayFields::kAlways}, {"never", GatewayFields::kNever}}});
}

ValueResult<DataPath> parse_data_path(std::string_view text) {
  return choose<DataPath, 4>(text, {{{"auto", DataPath::kAuto},
                                     {"socket", DataPath::kSocket},
                                     {"xdp", DataPath::kXdp},
                                     {"orders", DataPath::kOrders}}});
}

ValueResult<PathMtuChoice> parse_path_mtu(std::string_view text) {
  if (text == "auto") return PathMtuChoice{};
  if (text == "link") return PathMtuChoice{PathMtuChoice::Kind::kLink, 0};
  const ValueResult<std::uint64_t> octets = parse_number(text, kPathMtuMin, kPathMtuMax);
  if (octets) return PathMtuChoice{PathMtuChoice::Kind::kFixed, static_cast<std::size_t>(*octets)};
  return bad("must be auto, link, or " + std::to_string(kPathMtuMin) + " to " + std::to_string(kPathMtuMax));
}

ValueResult<StatsFormat> parse_stats_format(std::string_view text) {
  return choose<StatsFormat, 3>(
      text, {{{"text", StatsFormat::kText}, {"json", StatsFormat::kJson}, {"none", StatsFormat::kNone}}});
}

ValueResult<RtpChoice> parse_rtp_choice(std::string_view text) {
  return choose<RtpChoice, 3>(text,
                              {{{"auto", RtpChoice::kAuto}, {"strip", RtpChoice::kStrip}, {"keep", RtpChoice::kKeep}}});
}

ValueResult<BenchTask> parse_bench_task(std::string_view text) {
  return choose<BenchTask, 3>(
      text,
      {{{"nothing", BenchTask::kNothing}, {"requests", BenchTask::kRequests}, {"handshakes", BenchTask::kHandshakes}}});
}

ValueResult<Dnssec> parse_dnssec(std::string_view text) {
  return choose<Dnssec, 3>(text, {{{"require", Dnssec::kRequire}, {"prefer", Dnssec::kPrefer}, {"off", Dnssec::kOff}}});
}

ValueResult<std::string> parse_word(std::string_view text, const std::vector<std::string>& words) {
  if (std::ranges::find(words, text) != words.end()) return std::string(text);
  return Unexpected<BadValue>(BadValue{fmt::format("not one of {}", fmt::join(words, ", "))});
}

}  // namespace amt
