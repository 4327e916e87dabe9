#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/bench_report.hh"
#include "cli/explain.hh"
#include "cli/failure.hh"
#include "cli/subcommands.hh"
#include "engine/load/fleet_engine.hh"
#include "sys/clock.hh"
#include "sys/descriptor_limit.hh"
#include "sys/log.hh"
#include "sys/os_random.hh"

namespace amt {
namespace {

constexpr Duration kLiveLineInterval = std::chrono::seconds(1);
/// Besides the gateways' sockets: standard streams, epoll, timers, signals.
constexpr std::size_t kOtherDescriptors = 32;

FleetTask fleet_task(BenchTask task) {
  switch (task) {
    case BenchTask::kRequests:
      return FleetTask::kRequests;
    case BenchTask::kHandshakes:
      return FleetTask::kHandshakes;
    case BenchTask::kNothing:
      break;
  }
  return FleetTask::kStay;
}

const char* task_name(BenchTask task) {
  switch (task) {
    case BenchTask::kRequests:
      return "requests";
    case BenchTask::kHandshakes:
      return "handshakes";
    case BenchTask::kNothing:
      break;
  }
  return "nothing";
}

std::string open_failed(const BenchConfig& config, const SysError& error) {
  const bool no_port = error.call == "connect" && (error.code == EAGAIN || error.code == EADDRINUSE);
  if (!no_port) return explain(error);
  return fmt::format(
      "--gateways {}: this address has not so many free ports; widen net.ipv4.ip_local_port_range or name more "
      "addresses with --local",
      config.gateways);
}

/// One run of `amt bench`: load for the duration or until a signal, then all leave, then the report.
class BenchSession {
 public:
  explicit BenchSession(const BenchConfig& config)
      : config_(config),
        seed_(random_.u64()),
        shown_(isatty(STDERR_FILENO) != 0 && !config.json),
        duration_timer_(loop_, [this] { leave(); }),
        live_timer_(loop_, [this] { on_live_line(); }) {}

  int run();

 private:
  void leave();
  void on_live_line();
  [[nodiscard]] int print() const;

  const BenchConfig& config_;
  OsRandom random_;
  /// Nonces of a load need not be secret, and there are many.
  SeededRandom seed_;
  EventLoop loop_;
  std::unique_ptr<FleetEngine> engine_;
  bool shown_;
  Counters<LoadCounter> shown_counters_;
  bool leaving_ = false;
  BenchReport report_;
  Timer duration_timer_;
  Timer live_timer_;
};

int BenchSession::run() {
  const std::size_t wanted = config_.gateways + kOtherDescriptors;
  if (const std::size_t limit = raise_descriptor_limit(wanted); limit < wanted) {
    return fail(fmt::format("--gateways {}: needs {} descriptors, and this process may have {} (ulimit -n {})",
                            config_.gateways, wanted, limit, wanted));
  }
  FleetEngineOptions options;
  options.relay = config_.relay;
  options.local = config_.local;
  options.fleet.gateways = config_.gateways;
  options.fleet.channels = config_.channels;
  options.fleet.task = fleet_task(config_.task);
  options.fleet.changes_per_second = config_.changes_per_second;
  SysResult<std::unique_ptr<FleetEngine>> engine = FleetEngine::create(loop_, options, seed_);
  if (!engine) return fail(open_failed(config_, engine.error()));
  engine_ = std::move(*engine);
  loop_.on_stop_signal([this](int) { leave(); });
  duration_timer_.set(engine_->started() + config_.duration);
  if (shown_) live_timer_.set(engine_->started() + kLiveLineInterval);
  log_info("{} gateways ready at relay {}", config_.gateways, config_.relay.to_string());
  loop_.run();
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  if (!leaving_) return 0;  // a second signal before the first was dealt with
  return print();
}

void BenchSession::leave() {
  if (leaving_) return;
  leaving_ = true;
  // Leaving is not part of the measurement.
  report_.tally = engine_->fleet().tally();
  report_.total = monotonic_now() - engine_->started();
  report_.cpu = process_cpu_time();
  report_.complete = engine_->complete().has_value();
  report_.joining = report_.complete ? engine_->complete()->at - engine_->started() : report_.total;
  if (report_.complete) report_.at_complete = engine_->complete()->counters;
  report_.receive_drops = engine_->receive_drops();
  report_.send_errors = engine_->send_errors();
  duration_timer_.set(kNoDeadline);
  engine_->leave([this] { loop_.stop(); });
}

void BenchSession::on_live_line() {
  const Counters<LoadCounter>& counters = engine_->fleet().counters();
  fmt::print(stderr, "\r{}{}\x1b[K",
             BenchReport::live_line(monotonic_now() - engine_->started(), counters, shown_counters_, kLiveLineInterval),
             leaving_ ? ", leaving" : "");
  std::fflush(stderr);
  shown_counters_ = counters;
  live_timer_.set(monotonic_now() + kLiveLineInterval);
}

int BenchSession::print() const {
  BenchReport report = report_;
  report.relay = config_.relay;
  report.task = task_name(config_.task);
  report.gateways = config_.gateways;
  report.channels = config_.channels.size();
  const std::string text = config_.json ? report.json() + "\n" : report.text();
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    return fail("standard output cannot be written");
  }
  if (report.tally.counters[LoadCounter::kQueriesReceived] > 0) {
    const std::string shortfall = report.shortfall();
    return shortfall.empty() ? 0 : fail(shortfall);
  }
  const int code = engine_->send_error();
  return fail(fmt::format("relay {} does not answer{}", config_.relay.to_string(),
                          code != 0 ? fmt::format(" ({})", std::strerror(code)) : ""));
}

}  // namespace

int run_bench(const BenchConfig& config, const CommonConfig&) { return BenchSession(config).run(); }

}  // namespace amt
