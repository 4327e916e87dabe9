#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "base/printable.hh"
#include "observe/json_fields.hh"
#include "observe/status_text.hh"
#include "observe/text_table.hh"

namespace amt {
namespace {

namespace json = boost::json;

/// Of a list that may be long.
constexpr std::size_t kRowsInSummary = 8;

using json_fields::flag;
using json_fields::for_each_object;
using json_fields::list;
using json_fields::text;

std::string number_of(const json::object& object, const char* key) { return std::to_string(list(object, key).size()); }

std::string membership_line(const json::object& membership) {
  const json::array& sources = list(membership, "sources");
  const bool excludes = text(membership, "mode") == "exclude";
  std::string line = text(membership, "group");
  if (sources.empty()) return line + (excludes ? " from any source" : " from no source");
  line += excludes ? " from any source but " : " from ";
  constexpr std::size_t kShownMax = 8;
  for (std::size_t i = 0; i < sources.size() && i < kShownMax; ++i) {
    if (i > 0) line += ", ";
    if (const json::string* const source = sources[i].if_string()) line += printable({source->data(), source->size()});
  }
  if (sources.size() > kShownMax) line += fmt::format(" and {} more", sources.size() - kShownMax);
  return line;
}

std::string uptime(const json::object& status) {
  const json::value* const value = status.if_contains("uptime_seconds");
  if (value == nullptr || !value->is_number()) return "?";
  const auto total = static_cast<std::uint64_t>(std::clamp(value->to_number<double>(), 0.0, 1e12));
  if (total < 60) return fmt::format("{} s", total);
  if (total < 3600) return fmt::format("{} min {} s", total / 60, total % 60);
  if (total < 86400) return fmt::format("{} h {} min", total / 3600, total % 3600 / 60);
  return fmt::format("{} d {} h", total / 86400, total % 86400 / 3600);
}

std::string source_text(const json::object& channel) {
  const std::string source = text(channel, "source");
  return (source.empty() ? "*" : source) + "@" + text(channel, "group");
}

Table upstream_table(const json::object& status) {
  Table table({"upstream", "mode", "joins missing", "queries", "reports", "drops"});
  for_each_object(status, "upstreams", [&](const json::object& upstream) {
    table.add({text(upstream, "interface"), text(upstream, "mode"), text(upstream, "joins_missing"),
               text(upstream, "queries"), text(upstream, "reports"), text(upstream, "drops")});
  });
  return table;
}

/// The first ones: a screen is no place for 64.
Table worker_table(const json::object& status) {
  constexpr std::size_t kShownMax = 4;
  Table table({"worker", "tunnels", "packets", "bytes", "receive drops", "upstream drops"});
  std::size_t number = 0;
  for_each_object(status, "workers", [&](const json::object& worker) {
    if (number < kShownMax) {
      table.add({std::to_string(number), text(worker, "tunnels"), text(worker, "packets"), text(worker, "bytes"),
                 text(worker, "receive_drops"), text(worker, "upstream_drops")});
    }
    ++number;
  });
  if (number > kShownMax) table.add_note(fmt::format("and {} more: amt status --json", number - kShownMax));
  return table;
}

Table tunnel_table(const json::object& status, bool with_groups) {
  constexpr std::size_t kShownGroupsMax = 8;
  Table table({"tunnel", "groups", "packets", "bytes", "since s", "heard s", "expires in s", "path"});
  for_each_object(status, "tunnels", [&](const json::object& tunnel) {
    table.add({text(tunnel, "endpoint"), number_of(tunnel, "groups"), text(tunnel, "packets"), text(tunnel, "bytes"),
               text(tunnel, "since_seconds"), text(tunnel, "heard_seconds"), text(tunnel, "expires_seconds"),
               text(tunnel, "path")});
    if (!with_groups) return;
    std::size_t shown = 0;
    for_each_object(tunnel, "groups", [&](const json::object& group) {
      if (shown++ < kShownGroupsMax) table.add_note(membership_line(group));
    });
    if (shown > kShownGroupsMax) table.add_note(fmt::format("and {} more groups", shown - kShownGroupsMax));
  });
  return table;
}

Table channel_table(const json::object& status) {
  Table table({"channel", "tunnels", "packets", "bytes"});
  for_each_object(status, "channels", [&](const json::object& channel) {
    table.add({source_text(channel), text(channel, "tunnels"), text(channel, "packets"), text(channel, "bytes")});
  });
  return table;
}

using CounterRow = std::pair<std::string, double>;

/// Those that are not zero: most reasons of a drop never happen.
std::vector<CounterRow> counters_of(const json::object& status) {
  std::vector<CounterRow> rows;
  const json::value* const values = status.if_contains("counters");
  if (values == nullptr || !values->is_object()) return rows;
  for (const auto& [key, value] : values->get_object()) {
    const double number = value.is_number() ? value.to_number<double>() : 0;
    if (number != 0) rows.emplace_back(printable({key.data(), key.size()}), number);
  }
  return rows;
}

Table counter_table(const std::vector<CounterRow>& rows) {
  Table table({"counter", "value"});
  for (const auto& [name, value] : rows) table.add({name, fmt::format("{:.0f}", value)});
  return table;
}

bool is_trouble(std::string_view name) {
  constexpr std::string_view kSigns[] = {"reject",  "drop",    "lost",      "error", "exceeded", "overload",
                                         "too_big", "missing", "malformed", "rate",  "mismatch", "unreachable"};
  return std::ranges::any_of(kSigns,
                             [name](std::string_view sign) { return name.find(sign) != std::string_view::npos; });
}

/// Refusals and losses, the most frequent first.
std::string trouble_text(const json::object& status) {
  std::vector<CounterRow> rows = counters_of(status);
  std::erase_if(rows, [](const CounterRow& row) { return !is_trouble(row.first); });
  if (rows.empty()) return "  nothing was refused or lost (all counters: amt status counters)\n";
  std::ranges::stable_sort(rows, std::greater<>(), &CounterRow::second);
  const std::size_t left_out = rows.size() - std::min(rows.size(), kRowsInSummary);
  rows.resize(rows.size() - left_out);
  Table table = counter_table(rows);
  if (left_out > 0) table.add_note(fmt::format("and {} more: amt status counters", left_out));
  return table.to_string();
}

/// "12 of 5000": the rows shown, of all rows.
std::string shown_of(const json::object& status, const char* list_name, const char* count) {
  return fmt::format("{} of {}", number_of(status, list_name), text(status, count));
}

std::string relay_summary(const json::object& status) {
  std::string out = upstream_table(status).to_string() + "\n" + worker_table(status).to_string();
  out += fmt::format("\n  tunnels: {}, those with the most octets (all: amt status tunnels)\n",
                     shown_of(status, "tunnels", "tunnels_matched"));
  out += tunnel_table(status, false).to_string();
  out += fmt::format("\n  channels: {}, those with the most octets (all: amt status channels)\n",
                     shown_of(status, "channels", "channels_matched"));
  return out + channel_table(status).to_string();
}

/// Whether this gateway is the querier: "yes", "no", or of one family only.
std::string querier_text(const json::object& downstream) {
  if (!flag(downstream, "up")) return "down";
  const json::value* const value = downstream.if_contains("querier");
  if (value == nullptr || !value->is_object()) return "";
  const bool v4 = flag(value->get_object(), "ipv4");
  const bool v6 = flag(value->get_object(), "ipv6");
  if (v4 == v6) return v4 ? "yes" : "no";
  return v4 ? "IPv4" : "IPv6";
}

Table membership_table(const json::object& status, std::size_t max) {
  Table table({"membership", "packets", "bytes", "idle s"});
  std::size_t number = 0;
  for_each_object(status, "memberships", [&](const json::object& one) {
    if (number++ >= max) return;
    const std::string idle = text(one, "idle_seconds");
    table.add({membership_line(one), text(one, "packets"), text(one, "bytes"), idle.empty() ? "none yet" : idle});
  });
  if (number > max) table.add_note(fmt::format("and {} more: amt status memberships", number - max));
  return table;
}

/// Empty without --native.
std::string native_tables(const json::object& status) {
  const json::value* const value = status.if_contains("native");
  if (value == nullptr || !value->is_object()) return {};
  Table interfaces({"native", "state", "groups", "drops"});
  for_each_object(value->get_object(), "interfaces", [&](const json::object& interface) {
    interfaces.add({text(interface, "interface"), flag(interface, "up") ? "up" : "down", text(interface, "groups"),
                    text(interface, "drops")});
  });
  Table channels({"channel", "served by"});
  std::size_t number = 0;
  for_each_object(value->get_object(), "channels", [&](const json::object& channel) {
    if (number++ < kRowsInSummary) channels.add({source_text(channel), text(channel, "served_by")});
  });
  return "\n" + interfaces.to_string() + "\n" + channels.to_string();
}

std::string gateway_summary(const json::object& status) {
  Table relays({"relay", "state", "groups", "packets", "bytes"});
  for_each_object(status, "relays", [&](const json::object& relay) {
    relays.add({text(relay, "address"), text(relay, "state"), text(relay, "groups"), text(relay, "packets"),
                text(relay, "bytes")});
  });
  Table downstreams({"downstream", "querier", "groups", "packets", "bytes", "drops"});
  for_each_object(status, "downstreams", [&](const json::object& downstream) {
    downstreams.add({text(downstream, "interface"), querier_text(downstream), number_of(downstream, "groups"),
                     text(downstream, "packets"), text(downstream, "bytes"), text(downstream, "drops")});
  });
  return relays.to_string() + "\n" + membership_table(status, kRowsInSummary).to_string() + native_tables(status) +
         "\n" + downstreams.to_string();
}

std::string list_text(const json::object& status, std::string_view list_name) {
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  if (list_name == "tunnels") return tunnel_table(status, true).to_string();
  if (list_name == "channels") return channel_table(status).to_string();
  if (list_name == "memberships") return membership_table(status, kAll).to_string();
  return counter_table(counters_of(status)).to_string();
}

}  // namespace

std::optional<std::string> status_text(std::string_view input, std::string_view list_name) {
  boost::system::error_code error;
  const json::value root = json::parse(json::string_view(input.data(), input.size()), error);
  if (error || !root.is_object()) return std::nullopt;
  const json::object& status = root.get_object();
  const std::string role = text(status, "role");
  if (role != "relay" && role != "gateway") return std::nullopt;
  std::string out = fmt::format("{} {}, up {}\n\n", role, text(status, "version"), uptime(status));
  if (!list_name.empty()) return out + list_text(status, list_name);
  out += role == "relay" ? relay_summary(status) : gateway_summary(status);
  return out + "\n" + trouble_text(status);
}

}  // namespace amt
