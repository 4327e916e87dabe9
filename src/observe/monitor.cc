#include "observe/monitor.hh"

#include <algorithm>

#include "observe/channel_walk.hh"
#include "observe/engine_status.hh"
#include "observe/host_counters.hh"
#include "observe/relay_status_stream.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

constexpr Duration kSampleInterval = std::chrono::seconds(1);

std::uint64_t sum_of(const std::vector<CounterStatus>& counters, CounterFamily family) {
  std::uint64_t sum = 0;
  for (const CounterStatus& counter : counters) sum += counter.info->family == family ? counter.value : 0;
  return sum;
}

std::uint64_t value_of(const std::vector<CounterStatus>& counters, const CounterInfo& info) {
  const auto found = std::ranges::find(counters, &info, &CounterStatus::info);
  return found == counters.end() ? 0 : found->value;
}

HealthReport gateway_health(const GatewayEngine& engine) {
  HealthReport report;
  const GatewayStatus status = gateway_status(engine, monotonic_now());
  for (const DownstreamStatus& one : status.downstreams) {
    report.checks.push_back({"interface " + one.info.interface, one.info.up, one.info.up ? "up" : "down"});
  }
  const auto is_connected = [](const GatewayRelayStatus& relay) { return relay.state == "connected"; };
  // Without a relay there is nothing that could fail: nothing is wanted yet.
  const bool has_relay = status.relays.empty() || std::ranges::any_of(status.relays, is_connected);
  std::string detail;
  for (const GatewayRelayStatus& relay : status.relays) {
    detail += (detail.empty() ? "" : ", ") + relay.relay.to_string() + " " + relay.state;
  }
  report.checks.push_back({"a relay answers", has_relay, detail.empty() ? "none is needed" : detail});
  return report;
}

}  // namespace

RelayMonitor::RelayMonitor(EventLoop& loop, RelayEngine& engine, const RelayEngineOptions& options, Random& random)
    : engine_(engine),
      health_(loop, engine, options.local, options.discovery, random),
      bytes_in_(engine.worker_count()),
      timer_(loop, [this] { sample(); }) {
  sample();
}

RelayMonitor::~RelayMonitor() = default;

void RelayMonitor::sample() {
  const Instant now = monotonic_now();
  timer_.set(now + kSampleInterval);
  const RelayStatus status = relay_status(engine_);
  // Each worker takes in the same datagrams, from when it has a use for any.
  std::uint64_t came = 0;
  totals_.clients = 0;
  for (std::size_t i = 0; i < bytes_in_.size(); ++i) {
    const std::uint64_t bytes = engine_.worker(i).relay().counters()[RelayCounter::kDataBytesIn];
    came = std::max(came, bytes - std::exchange(bytes_in_[i], bytes));
    totals_.clients += status.workers[i].tunnels;
  }
  totals_.bytes_in += came;
  totals_.bytes_out = value_of(status.counters, counter_info(RelayCounter::kDataBytesSent));
  totals_.handshakes = value_of(status.counters, counter_info(RelayCounter::kQueriesSent));
  totals_.losses = sum_of(status.counters, CounterFamily::kDrops);
  totals_.refusals = sum_of(status.counters, CounterFamily::kRejects);
  history_.add(now, totals_);
}

HttpRoutes RelayMonitor::routes() {
  return make_http_routes({
      .status = [this](const StatusQuery& query) { return relay_status_stream(engine_, query); },
      .metrics =
          [this](MetricsFormat format, const std::function<void(std::string)>& done) {
            find_busiest_channels(engine_, kMetricChannelsMax,
                                  [this, format, done](const std::vector<ChannelStatus>& channels) {
                                    done(relay_metrics(relay_status(engine_), channels, format));
                                  });
          },
      .health = [this](HealthDone done) { health_.check(std::move(done)); },
      .not_ready = [this] { return engine_.is_draining() ? std::optional<std::string>("draining") : std::nullopt; },
      .history = [this](History::Span span, std::uint64_t after) { return history_.json(span, after); },
  });
}

GatewayMonitor::GatewayMonitor(EventLoop& loop, const GatewayEngine& engine)
    : engine_(engine), timer_(loop, [this] { sample(); }) {
  sample();
}

GatewayMonitor::~GatewayMonitor() = default;

void GatewayMonitor::sample() {
  const Instant now = monotonic_now();
  timer_.set(now + kSampleInterval);
  const std::vector<CounterStatus> counters = gateway_counters(engine_);
  const auto value = [&](const CounterInfo& info) { return value_of(counters, info); };
  history_.add(now, {.bytes_in = value(counter_info(GatewayCounter::kDataBytesReceived)),
                     .bytes_out = value(counter_info(GatewayHostCounter::kDataBytesDelivered)),
                     .clients = membership_count(engine_),
                     .handshakes = value(counter_info(GatewayCounter::kQueriesReceived)),
                     .losses = sum_of(counters, CounterFamily::kDrops),
                     .refusals = sum_of(counters, CounterFamily::kRejects)});
}

HttpRoutes GatewayMonitor::routes() {
  return make_http_routes({
      .status = [this](const StatusQuery& query) { return gateway_status_stream(engine_, query); },
      .metrics =
          [this](MetricsFormat format, const std::function<void(std::string)>& done) {
            done(gateway_metrics(gateway_status(engine_, monotonic_now()), format));
          },
      .health = [this](const HealthDone& done) { done(gateway_health(engine_)); },
      .not_ready = [] { return std::nullopt; },
      .history = [this](History::Span span, std::uint64_t after) { return history_.json(span, after); },
  });
}

}  // namespace amt
