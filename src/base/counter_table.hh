#pragma once
/// The description of a counter for people and programs: its name in the status, its metric, the thing counted, and the
/// remedy when it grows. Status, metrics, page and docs/counters.md are made of these tables.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace amt {

/// Counters of one family are one metric; labels distinguish them.
enum class CounterFamily : std::uint8_t {
  kOwn,           ///< a metric of its own: amt_relay_NAME_total
  kMessages,      ///< amt_relay_messages_total{type,direction}
  kDataPackets,   ///< amt_relay_data_packets_total{direction}
  kDataBytes,     ///< amt_relay_data_bytes_total{direction}
  kTunnelsEnded,  ///< amt_relay_tunnels_ended_total{reason}
  kRejects,       ///< amt_relay_rejects_total{reason}: a message, or a part of one, had no effect
  kDrops,         ///< amt_relay_drops_total{reason}: something was lost
  kGauge,         ///< amt_relay_NAME: goes up and down
};

struct CounterInfo {
  std::string_view name;
  CounterFamily family = CounterFamily::kOwn;
  /// As they stand in a metric: `direction="in"`.
  std::string_view labels = {};
  std::string_view unit = {};
  /// A phrase without a full stop.
  std::string_view help = {};
  /// The remedy when it grows. Rejects and drops always have one, other counters where there is a remedy.
  std::string_view remedy = {};
};

constexpr CounterInfo message_counter(std::string_view name, std::string_view labels, std::string_view help) {
  return {name, CounterFamily::kMessages, labels, "messages", help, {}};
}
constexpr CounterInfo packet_counter(std::string_view name, std::string_view labels, std::string_view help) {
  return {name, CounterFamily::kDataPackets, labels, "datagrams", help, {}};
}
constexpr CounterInfo octet_counter(std::string_view name, std::string_view labels, std::string_view help) {
  return {name, CounterFamily::kDataBytes, labels, "octets", help, {}};
}
constexpr CounterInfo tunnel_end_counter(std::string_view name, std::string_view labels, std::string_view help,
                                         std::string_view remedy = {}) {
  return {name, CounterFamily::kTunnelsEnded, labels, "tunnels", help, remedy};
}
constexpr CounterInfo own_counter(std::string_view name, std::string_view unit, std::string_view help,
                                  std::string_view remedy = {}) {
  return {name, CounterFamily::kOwn, {}, unit, help, remedy};
}
constexpr CounterInfo gauge_counter(std::string_view name, std::string_view unit, std::string_view help,
                                    std::string_view remedy = {}) {
  return {name, CounterFamily::kGauge, {}, unit, help, remedy};
}
/// `name` begins with `reject_`; the rest is the reason.
constexpr CounterInfo reject_counter(std::string_view name, std::string_view unit, std::string_view help,
                                     std::string_view remedy) {
  return {name, CounterFamily::kRejects, {}, unit, help, remedy};
}
/// The reason is the name.
constexpr CounterInfo drop_counter(std::string_view name, std::string_view unit, std::string_view help,
                                   std::string_view remedy) {
  return {name, CounterFamily::kDrops, {}, unit, help, remedy};
}

/// `reject_bad_mac` is `bad_mac`.
constexpr std::string_view without_reject(std::string_view name) {
  constexpr std::string_view kPrefix = "reject_";
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

template <typename E>
struct CounterRow {
  E counter;
  CounterInfo info;
};
template <typename E>
using CounterTable = std::array<CounterRow<E>, static_cast<std::size_t>(E::kCount)>;

constexpr bool is_counter_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c == '_' || (c >= 'a' && c <= 'z'); });
}
constexpr bool is_well_described(const CounterInfo& info) {
  const bool is_trouble = info.family == CounterFamily::kRejects || info.family == CounterFamily::kDrops;
  const bool has_own_labels = !is_trouble && info.family != CounterFamily::kOwn && info.family != CounterFamily::kGauge;
  return is_counter_name(info.name) && !info.unit.empty() && !info.help.empty() && !info.help.ends_with('.') &&
         (!is_trouble || info.remedy.ends_with('.')) && has_own_labels == !info.labels.empty() &&
         (info.family != CounterFamily::kRejects || info.name.starts_with("reject_"));
}
/// Every enumerator has its row, in order. For a `static_assert` beside the table.
template <typename E>
constexpr bool is_complete(const CounterTable<E>& table) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].counter) != i || !is_well_described(table[i].info)) return false;
  }
  return true;
}

/// The row of `which`. A room that has a table declares `const CounterInfo& counter_info(E)`.
template <typename E>
const CounterInfo& info_in(const CounterTable<E>& table, E which) {
  return table.at(static_cast<std::size_t>(which)).info;
}

}  // namespace amt
