#include "observe/metrics_text.hh"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "amt/version.hh"
#include "base/counter_table.hh"

namespace amt {
namespace {

using Type = MetricsText::Type;

struct FamilyNames {
  CounterFamily family;
  std::string_view name;
  std::string_view help;
};
constexpr FamilyNames kFamilies[] = {
    {CounterFamily::kMessages, "messages", "Control messages, by type and direction"},
    {CounterFamily::kDataPackets, "data_packets", "Multicast datagrams, by direction"},
    {CounterFamily::kDataBytes, "data_bytes", "Octets of multicast datagrams, by direction"},
    {CounterFamily::kTunnelsEnded, "tunnels_ended", "Tunnels that ended, by reason"},
    {CounterFamily::kRejects, "rejects", "Messages, or parts of them, that had no effect, by reason"},
    {CounterFamily::kDrops, "drops", "What was lost, by reason; docs/counters.md says what helps"},
};

std::string labels_of(const CounterInfo& info) {
  if (info.family == CounterFamily::kRejects) return label("reason", without_reject(info.name));
  if (info.family == CounterFamily::kDrops) return label("reason", info.name);
  return std::string(info.labels);
}

std::string joined(const std::string& a, const std::string& b) { return a.empty() || b.empty() ? a + b : a + "," + b; }

/// One counter, and the labels beside those of its table.
struct Row {
  const CounterInfo* info = nullptr;
  std::string labels{};
  std::uint64_t value = 0;
};

/// All counters of a role, family by family, in the order of their table.
void add_counters(MetricsText& out, const std::string& prefix, const std::vector<Row>& rows) {
  for (const FamilyNames& family : kFamilies) {
    bool has_begun = false;
    for (const Row& row : rows) {
      if (row.info->family != family.family) continue;
      if (!std::exchange(has_begun, true)) out.begin(prefix + std::string(family.name), Type::kCounter, family.help);
      out.add(joined(row.labels, labels_of(*row.info)), row.value);
    }
  }
  std::set<std::string_view> written;
  for (const Row& first : rows) {
    const bool is_gauge = first.info->family == CounterFamily::kGauge;
    if ((!is_gauge && first.info->family != CounterFamily::kOwn) || !written.insert(first.info->name).second) continue;
    out.begin(prefix + std::string(first.info->name), is_gauge ? Type::kGauge : Type::kCounter, first.info->help);
    for (const Row& row : rows) {
      if (row.info->name == first.info->name) out.add(row.labels, row.value);
    }
  }
}

void add_counters(MetricsText& out, const std::string& prefix, const std::vector<CounterStatus>& counters) {
  std::vector<Row> rows;
  for (const CounterStatus& counter : counters) rows.push_back({.info = counter.info, .value = counter.value});
  add_counters(out, prefix, rows);
}

void add_head(MetricsText& out, const std::string& prefix, const char* role, Duration uptime) {
  out.begin("amt_build", Type::kInfo, "Version and role of this process");
  out.add(label("version", version()) + "," + label("role", role), 1);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(uptime).count();
  out.begin(prefix + "uptime_seconds", Type::kGauge, "Seconds since the start");
  out.add("", static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0)));
}

/// One family of one number for each of a list.
template <typename Rows, typename Labels, typename Value>
void add_list(MetricsText& out, const std::string& name, Type type, std::string_view help, const Rows& rows,
              Labels labels, Value value) {
  if (rows.empty()) return;
  out.begin(name, type, help);
  for (const auto& row : rows) out.add(labels(row), value(row));
}

void add_channels(MetricsText& out, std::span<const ChannelStatus> channels) {
  const auto labels = [](const ChannelStatus& one) {
    return label("group", one.group.to_string()) + "," + label("source", one.source ? one.source->to_string() : "");
  };
  add_list(out, "amt_relay_channel_tunnels", Type::kGauge, "Tunnels of the channels that have the most", channels,
           labels, [](const ChannelStatus& one) { return one.tunnels; });
  add_list(out, "amt_relay_channel_packets", Type::kCounter, "Datagrams of these channels from upstream", channels,
           labels, [](const ChannelStatus& one) { return one.packets; });
  add_list(out, "amt_relay_channel_bytes", Type::kCounter, "Octets of these datagrams", channels, labels,
           [](const ChannelStatus& one) { return one.bytes; });
}

/// A membership without data for this long counts as missing.
constexpr Duration kSilent = std::chrono::seconds(10);

std::uint64_t silent_memberships(const GatewayStatus& status) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      status.memberships, [](const MembershipStatus& one) { return !one.use.idle || *one.use.idle > kSilent; }));
}

void add_relays(MetricsText& out, const GatewayStatus& status) {
  const auto labels = [](const GatewayRelayStatus& one) { return label("relay", one.relay.to_string()); };
  add_list(out, "amt_gateway_relay_connected", Type::kGauge, "1: the relay answers", status.relays, labels,
           [](const GatewayRelayStatus& one) { return one.state == "connected" ? 1U : 0U; });
  add_list(out, "amt_gateway_relay_packets", Type::kCounter, "Datagrams that came from this relay", status.relays,
           labels, [](const GatewayRelayStatus& one) { return one.packets; });
  add_list(out, "amt_gateway_relay_bytes", Type::kCounter, "Octets of these datagrams", status.relays, labels,
           [](const GatewayRelayStatus& one) { return one.bytes; });
}

void add_downstreams(MetricsText& out, const GatewayStatus& status) {
  const auto labels = [](const DownstreamStatus& one) { return label("interface", one.info.interface); };
  add_list(out, "amt_gateway_downstream_up", Type::kGauge, "1: the interface is up", status.downstreams, labels,
           [](const DownstreamStatus& one) { return one.info.up ? 1U : 0U; });
  std::vector<Row> rows;
  for (const DownstreamStatus& one : status.downstreams) {
    for (const DownstreamCounter& counter : one.info.counters) {
      const std::string protocol = counter.protocol.empty() ? std::string() : "," + label("protocol", counter.protocol);
      rows.push_back({counter.info, labels(one) + protocol, counter.value});
    }
  }
  add_counters(out, "amt_gateway_downstream_", rows);
}

}  // namespace

MetricsFormat metrics_format(std::string_view accept) {
  constexpr std::string_view kType = "application/openmetrics-text";
  const std::size_t at = accept.find(kType);
  if (at == std::string_view::npos) return MetricsFormat::kPrometheus;
  const std::string_view rest = accept.substr(at, std::min(accept.find(',', at), accept.size()) - at);
  const bool is_refused = rest.ends_with("q=0") || rest.ends_with("q=0.0");
  return is_refused ? MetricsFormat::kPrometheus : MetricsFormat::kOpenMetrics;
}

std::string content_type(MetricsFormat format) {
  return format == MetricsFormat::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                               : "text/plain; version=0.0.4; charset=utf-8";
}

std::string label(std::string_view name, std::string_view value) {
  std::string out(name);
  out += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + '"';
}

void MetricsText::begin(std::string_view name, Type type, std::string_view help) {
  const bool is_open = format_ == MetricsFormat::kOpenMetrics;
  const std::string_view suffix = type == Type::kCounter ? "_total" : type == Type::kInfo ? "_info" : "";
  sample_name_ = std::string(name).append(suffix);
  // OpenMetrics names the family, the older format the samples, and has no type for information.
  const std::string_view family = is_open ? name : std::string_view(sample_name_);
  const std::string_view kind = type == Type::kCounter ? "counter" : type == Type::kInfo && is_open ? "info" : "gauge";
  fmt::format_to(std::back_inserter(out_), "# HELP {} {}\n# TYPE {} {}\n", family, help, family, kind);
}

void MetricsText::add(std::string_view labels, std::uint64_t value) {
  if (labels.empty()) {
    fmt::format_to(std::back_inserter(out_), "{} {}\n", sample_name_, value);
  } else {
    fmt::format_to(std::back_inserter(out_), "{}{{{}}} {}\n", sample_name_, labels, value);
  }
}

std::string MetricsText::finish() {
  if (format_ == MetricsFormat::kOpenMetrics) out_ += "# EOF\n";
  return std::move(out_);
}

std::string relay_metrics(const RelayStatus& status, std::span<const ChannelStatus> channels, MetricsFormat format) {
  MetricsText out(format);
  const std::string prefix = "amt_relay_";
  add_head(out, prefix, "relay", status.uptime);
  std::uint64_t tunnels = 0;
  for (const WorkerStatus& worker : status.workers) tunnels += worker.tunnels;
  out.begin(prefix + "tunnels", Type::kGauge, "Tunnels");
  out.add("", tunnels);
  out.begin(prefix + "channels", Type::kGauge, "Channels that some tunnel wants");
  out.add("", status.channel_count);
  add_counters(out, prefix, status.counters);
  const auto interface = [](const UpstreamStatus& one) { return label("interface", one.interface); };
  add_list(out, prefix + "upstream_up", Type::kGauge, "1: the upstream interface is up", status.upstreams, interface,
           [](const UpstreamStatus& one) { return one.up ? 1U : 0U; });
  add_list(out, prefix + "upstream_lost_packets", Type::kCounter, "Datagrams lost in this interface's capture",
           status.upstreams, interface, [](const UpstreamStatus& one) { return one.drops; });
  std::vector<std::size_t> workers(status.workers.size());
  for (std::size_t i = 0; i < workers.size(); ++i) workers[i] = i;
  const auto worker = [](std::size_t i) { return label("worker", std::to_string(i)); };
  add_list(out, prefix + "worker_tunnels", Type::kGauge, "Tunnels of this worker", workers, worker,
           [&](std::size_t i) { return status.workers[i].tunnels; });
  add_list(out, prefix + "worker_data_packets", Type::kCounter, "Copies sent by this worker", workers, worker,
           [&](std::size_t i) { return status.workers[i].packets; });
  add_channels(out, channels);
  return out.finish();
}

std::string gateway_metrics(const GatewayStatus& status, MetricsFormat format) {
  MetricsText out(format);
  const std::string prefix = "amt_gateway_";
  add_head(out, prefix, "gateway", status.uptime);
  out.begin(prefix + "relays", Type::kGauge, "Relays that this gateway uses or asks");
  out.add("", status.relays.size());
  out.begin(prefix + "memberships", Type::kGauge, "Groups that are wanted here");
  out.add("", status.memberships.size());
  out.begin(prefix + "memberships_silent", Type::kGauge, "Groups that brought nothing for 10 s");
  out.add("", silent_memberships(status));
  add_counters(out, prefix, status.counters);
  add_relays(out, status);
  add_downstreams(out, status);
  return out.finish();
}

}  // namespace amt
