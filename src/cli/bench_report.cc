#include "cli/bench_report.hh"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/seconds.hh"

namespace amt {
namespace {

namespace json = boost::json;

double milliseconds(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }
double rate(std::uint64_t count, Duration in) {
  return in > Duration::zero() ? static_cast<double>(count) / seconds(in) : 0;
}

/// From this share of one core on, this side may be the bottleneck.
constexpr double kBusyPart = 0.9;
/// Joins that bring nothing: at the end of a run the last ones wait still, and gateways that change channels leave some
/// before they are served.
constexpr double kUnservedPart = 0.1;

json::object json_of(const LatencyHistogram& latency) {
  return {{"count", latency.count()},
          {"p50", milliseconds(latency.quantile(0.5))},
          {"p90", milliseconds(latency.quantile(0.9))},
          {"p99", milliseconds(latency.quantile(0.99))},
          {"p999", milliseconds(latency.quantile(0.999))},
          {"max", milliseconds(latency.max())}};
}

std::string text_of(const char* name, const LatencyHistogram& latency) {
  if (latency.count() == 0) return {};
  return fmt::format("  {:<20} p50 {:.2f} ms, p90 {:.2f} ms, p99 {:.2f} ms, p99.9 {:.2f} ms, max {:.2f} ms\n", name,
                     milliseconds(latency.quantile(0.5)), milliseconds(latency.quantile(0.9)),
                     milliseconds(latency.quantile(0.99)), milliseconds(latency.quantile(0.999)),
                     milliseconds(latency.max()));
}

}  // namespace

double BenchReport::handshakes_per_second() const {
  const LoadCounter counter = task == "requests" ? LoadCounter::kQueriesReceived : LoadCounter::kHandshakes;
  // Gateways that stay make theirs at the beginning.
  return task == "nothing" && complete ? rate(at_complete[counter], joining) : rate(tally.counters[counter], total);
}

double BenchReport::per_second(LoadCounter counter) const {
  return complete ? rate(tally.counters[counter] - at_complete[counter], total - joining)
                  : rate(tally.counters[counter], total);
}

std::string BenchReport::json() const {
  const Counters<LoadCounter>& counts = tally.counters;
  json::object counters;
  counts.for_each([&](std::string_view name, std::uint64_t value) { counters[{name.data(), name.size()}] = value; });
  counters["receive_drops"] = receive_drops;
  counters["send_errors"] = send_errors;
  const json::object out = {
      {"relay", relay.to_string()},
      {"task", task},
      {"gateways", gateways},
      {"channels", channels},
      {"complete", complete},
      {"seconds", seconds(total)},
      {"joining_seconds", seconds(joining)},
      {"cpu_seconds", seconds(cpu)},
      {"handshakes", counts[LoadCounter::kHandshakes]},
      {"handshakes_per_second", handshakes_per_second()},
      {"channel_changes_per_second", per_second(LoadCounter::kChannelChanges)},
      {"packets", counts[LoadCounter::kPackets]},
      {"packets_per_second", per_second(LoadCounter::kPackets)},
      {"bits_per_second", 8 * per_second(LoadCounter::kBytes)},
      {"lost", counts[LoadCounter::kLost]},
      {"joins", counts[LoadCounter::kJoins]},
      {"joins_served", counts[LoadCounter::kJoinsServed]},
      {"handshake_milliseconds", json_of(tally.handshake)},
      {"join_milliseconds", json_of(tally.join)},
      {"data_milliseconds", json_of(tally.data)},
      {"counters", counters},
  };
  return json::serialize(out);
}

std::string BenchReport::text() const {
  const Counters<LoadCounter>& counts = tally.counters;
  std::string out = fmt::format("{} gateways, {} channel{}, relay {}, {:.1f} s\n", gateways, channels,
                                channels == 1 ? "" : "s", relay.to_string(), seconds(total));
  if (task == "requests") {
    out += fmt::format("  {:<20} {}, {:.0f}/s\n", "Requests answered", counts[LoadCounter::kQueriesReceived],
                       handshakes_per_second());
  } else {
    out +=
        fmt::format("  {:<20} {}, {:.0f}/s\n", "handshakes", counts[LoadCounter::kHandshakes], handshakes_per_second());
  }
  out += text_of("Request to Query", tally.handshake);
  if (counts[LoadCounter::kChannelChanges] > 0) {
    out += fmt::format("  {:<20} {}, {:.0f}/s\n", "channel changes", counts[LoadCounter::kChannelChanges],
                       per_second(LoadCounter::kChannelChanges));
  }
  if (counts[LoadCounter::kPackets] > 0) {
    out += fmt::format("  {:<20} {} of {} brought data\n", "joins", counts[LoadCounter::kJoinsServed],
                       counts[LoadCounter::kJoins]);
    out += text_of("Update to data", tally.join);
    out += fmt::format("  {:<20} {}, {:.0f}/s, {:.1f} Mbit/s\n", "packets", counts[LoadCounter::kPackets],
                       per_second(LoadCounter::kPackets), 8e-6 * per_second(LoadCounter::kBytes));
  }
  if (counts[LoadCounter::kNumbered] > 0) {
    out +=
        fmt::format("  {:<20} {} lost, {} twice, {} late, of {}\n", "numbered packets", counts[LoadCounter::kLost],
                    counts[LoadCounter::kDuplicated], counts[LoadCounter::kReordered], counts[LoadCounter::kNumbered]);
    out += text_of("data, on one clock", tally.data);
  }
  if (counts[LoadCounter::kDamaged] > 0) out += fmt::format("  {:<20} {}\n", "damaged", counts[LoadCounter::kDamaged]);
  out += fmt::format("  {:<20} {:.2f} s of CPU, {:.0f} % of one core\n", "this side", seconds(cpu),
                     100 * seconds(cpu) / seconds(total));
  if (seconds(cpu) > kBusyPart * seconds(total)) {
    out += "  What limits may be this side: it was busy nearly all the time.\n";
  }
  if (receive_drops > 0) {
    out += fmt::format("  {} packets came faster than this side could take them; they count as lost.\n", receive_drops);
  }
  if (send_errors > 0) out += fmt::format("  {} messages could not be sent.\n", send_errors);
  if (counts[LoadCounter::kRequestsRepeated] > 0) {
    out += fmt::format(
        "  {} Requests had to be repeated: the relay is overloaded, or it limits one address "
        "(--max-requests-per-address 0).\n",
        counts[LoadCounter::kRequestsRepeated]);
  }
  if (counts[LoadCounter::kQueriesWithLimit] > 0) {
    out += fmt::format("  {} Queries said that the relay takes no more gateways (--max-tunnels).\n",
                       counts[LoadCounter::kQueriesWithLimit]);
  }
  if (counts[LoadCounter::kPackets] > 0 && counts[LoadCounter::kJoinsServed] < counts[LoadCounter::kJoins]) {
    out +=
        "  Joins that brought no data: was the source silent, or does the relay limit one address "
        "(--max-tunnels-per-address, --max-updates-per-address)?\n";
  }
  return out;
}

std::string BenchReport::shortfall() const {
  const Counters<LoadCounter>& counts = tally.counters;
  const std::uint64_t joins = counts[LoadCounter::kJoins];
  const std::uint64_t served = counts[LoadCounter::kJoinsServed];
  std::string what;
  const auto add = [&what](const std::string& one) { what += (what.empty() ? "" : ", ") + one; };
  if (!complete) add(fmt::format("not all of {} gateways had an answer", gateways));
  if (counts[LoadCounter::kQueriesWithLimit] > 0) {
    add(fmt::format("{} answers refused (L flag)", counts[LoadCounter::kQueriesWithLimit]));
  }
  const auto unserved = static_cast<double>(joins - std::min(joins, served));
  if (counts[LoadCounter::kPackets] > 0 && unserved > kUnservedPart * static_cast<double>(joins)) {
    add(fmt::format("{} of {} joins brought no data", joins - served, joins));
  }
  if (what.empty()) return {};
  return what +
         "; if these are the relay's limits for one address, raise them there (--max-tunnels-per-address, "
         "--max-requests-per-address 0, --max-updates-per-address 0, --max-tunnels) or name more addresses here "
         "(--local)";
}

std::string BenchReport::live_line(Duration since_start, const Counters<LoadCounter>& now,
                                   const Counters<LoadCounter>& before, Duration since_before) {
  const auto per_second = [&](LoadCounter counter) { return rate(now[counter] - before[counter], since_before); };
  return fmt::format("{:.0f} s: {:.0f} Queries/s, {:.0f} packets/s, {:.1f} Mbit/s", seconds(since_start),
                     per_second(LoadCounter::kQueriesReceived), per_second(LoadCounter::kPackets),
                     8e-6 * per_second(LoadCounter::kBytes));
}

}  // namespace amt
