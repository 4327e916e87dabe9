#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>

#include "base/printable.hh"
#include "observe/status.hh"

namespace amt {
namespace {

namespace json = boost::json;

/// The values of the other side are shown, not believed: whatever is not there or of another kind is empty.
std::string text(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return "";
  if (const json::string* const string = value->if_string())
    return printable(std::string_view(string->data(), string->size()));
  if (value->is_number()) return fmt::format("{:.0f}", value->to_number<double>());
  return "";
}

json::array list(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : json::array();
}

bool flag(const json::object& object, const char* key) {
  const json::value* const value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string number_of(const json::object& object, const char* key) { return std::to_string(list(object, key).size()); }

/// Columns as wide as their widest cell; the first to the left, numbers to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> head) { add(std::move(head)); }
  void add(std::vector<std::string> row) {
    widths_.resize(std::max(widths_.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], row[i].size());
    rows_.push_back(std::move(row));
  }
  /// A line of its own below the last row.
  void add_note(std::string note) { rows_.push_back({"\t" + std::move(note)}); }

  [[nodiscard]] std::string to_string() const {
    std::string out;
    for (const std::vector<std::string>& row : rows_) {
      out += "  ";
      if (row.size() == 1 && row[0].starts_with('\t')) {
        out += "  " + row[0].substr(1) + "\n";
        continue;
      }
      for (std::size_t i = 0; i < row.size(); ++i) {
        out += i == 0 ? fmt::format("{:<{}}", row[i], widths_[i]) : fmt::format("  {:>{}}", row[i], widths_[i]);
      }
      out += "\n";
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
};

std::string membership_line(const json::object& membership) {
  const json::array sources = list(membership, "sources");
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

std::string relay_tables(const json::object& status) {
  Table upstreams({"upstream", "mode", "joins missing", "queries", "reports", "drops"});
  for (const json::value& value : list(status, "upstreams")) {
    if (!value.is_object()) continue;
    const json::object& upstream = value.get_object();
    upstreams.add({text(upstream, "interface"), text(upstream, "mode"), text(upstream, "joins_missing"),
                   text(upstream, "queries"), text(upstream, "reports"), text(upstream, "drops")});
  }
  Table workers({"worker", "tunnels", "packets", "bytes", "receive drops", "upstream drops"});
  const json::array worker_list = list(status, "workers");
  for (std::size_t i = 0; i < worker_list.size(); ++i) {
    if (!worker_list[i].is_object()) continue;
    const json::object& worker = worker_list[i].get_object();
    workers.add({std::to_string(i), text(worker, "tunnels"), text(worker, "packets"), text(worker, "bytes"),
                 text(worker, "receive_drops"), text(worker, "upstream_drops")});
  }
  Table tunnels({"tunnel", "groups", "packets", "bytes", "expires in s", "path"});
  for (const json::value& value : list(status, "tunnels")) {
    if (!value.is_object()) continue;
    const json::object& tunnel = value.get_object();
    tunnels.add({text(tunnel, "endpoint"), number_of(tunnel, "groups"), text(tunnel, "packets"), text(tunnel, "bytes"),
                 text(tunnel, "expires_seconds"), text(tunnel, "path")});
    for (const json::value& group : list(tunnel, "groups")) {
      if (group.is_object()) tunnels.add_note(membership_line(group.get_object()));
    }
  }
  Table channels({"channel", "tunnels", "packets", "bytes"});
  for (const json::value& value : list(status, "channels")) {
    if (!value.is_object()) continue;
    const json::object& channel = value.get_object();
    const std::string source = text(channel, "source");
    channels.add({(source.empty() ? "*" : source) + "@" + text(channel, "group"), text(channel, "tunnels"),
                  text(channel, "packets"), text(channel, "bytes")});
  }
  return "\n" + upstreams.to_string() + "\n" + workers.to_string() + "\n" + tunnels.to_string() + "\n" +
         channels.to_string();
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

/// Empty without --native.
std::string native_tables(const json::object& status) {
  const json::value* const value = status.if_contains("native");
  if (value == nullptr || !value->is_object()) return {};
  Table interfaces({"native", "state", "groups", "drops"});
  for (const json::value& one : list(value->get_object(), "interfaces")) {
    if (!one.is_object()) continue;
    const json::object& interface = one.get_object();
    interfaces.add({text(interface, "interface"), flag(interface, "up") ? "up" : "down", text(interface, "groups"),
                    text(interface, "drops")});
  }
  Table channels({"channel", "served by"});
  for (const json::value& one : list(value->get_object(), "channels")) {
    if (!one.is_object()) continue;
    const json::object& channel = one.get_object();
    const std::string source = text(channel, "source");
    channels.add({(source.empty() ? "*" : source) + "@" + text(channel, "group"), text(channel, "served_by")});
  }
  return "\n" + interfaces.to_string() + "\n" + channels.to_string();
}

std::string gateway_tables(const json::object& status) {
  Table relays({"relay", "state", "groups", "packets", "bytes"});
  for (const json::value& value : list(status, "relays")) {
    if (!value.is_object()) continue;
    const json::object& relay = value.get_object();
    relays.add({text(relay, "address"), text(relay, "state"), text(relay, "groups"), text(relay, "packets"),
                text(relay, "bytes")});
  }
  Table memberships({"membership"});
  for (const json::value& value : list(status, "memberships")) {
    if (value.is_object()) memberships.add({membership_line(value.get_object())});
  }
  Table downstreams({"downstream", "querier", "groups", "packets", "bytes", "drops"});
  for (const json::value& value : list(status, "downstreams")) {
    if (!value.is_object()) continue;
    const json::object& downstream = value.get_object();
    downstreams.add({text(downstream, "interface"), querier_text(downstream), number_of(downstream, "groups"),
                     text(downstream, "packets"), text(downstream, "bytes"), text(downstream, "drops")});
  }
  return "\n" + relays.to_string() + "\n" + memberships.to_string() + native_tables(status) + "\n" +
         downstreams.to_string();
}

}  // namespace

std::optional<std::string> status_text(std::string_view input) {
  boost::system::error_code error;
  const json::value root = json::parse(json::string_view(input.data(), input.size()), error);
  if (error || !root.is_object()) return std::nullopt;
  const json::object& status = root.get_object();
  const std::string role = text(status, "role");
  if (role != "relay" && role != "gateway") return std::nullopt;
  std::string out = fmt::format("{} {}, up {}\n", role, text(status, "version"), uptime(status));
  out += role == "relay" ? relay_tables(status) : gateway_tables(status);
  Table counters({"counter", "value"});
  if (const json::value* const values = status.if_contains("counters"); values != nullptr && values->is_object()) {
    for (const auto& [key, value] : values->get_object()) {
      if (!value.is_number() || value.to_number<double>() == 0) continue;  // most reasons of a drop never happen
      counters.add({printable({key.data(), key.size()}), fmt::format("{:.0f}", value.to_number<double>())});
    }
  }
  return out + "\n" + counters.to_string();
}

}  // namespace amt
