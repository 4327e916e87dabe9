#include "observe/relay_health.hh"

#include <fmt/format.h>

#include <utility>

#include "sys/clock.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

constexpr Duration kProbeTimeout = std::chrono::milliseconds(400);
constexpr std::uint32_t kProbeTries = 3;

std::string milliseconds(Duration duration) {
  return fmt::format("answers after {:.1f} ms", std::chrono::duration<double, std::milli>(duration).count());
}

HealthCheck upstream_check(const Upstream& upstream) {
  HealthCheck check{.name = "upstream " + upstream.interface()};
  const SysResult<LinkInfo> link = find_link(upstream.interface());
  check.ok = link && link->up && !upstream.is_lost();
  check.detail = check.ok ? "up" : link ? "down" : "there is no such interface";
  return check;
}

}  // namespace

/// One check of everything. The checks stand in the report from the start, as failed, until they are answered.
struct RelayHealth::Run {
  HealthReport report{};
  std::size_t pending = 0;
  std::vector<RelaySurvey::Ticket> tickets{};
};

RelayHealth::RelayHealth(EventLoop& loop, RelayEngine& engine, std::vector<Endpoint> local,
                         std::vector<Endpoint> discovery, Random& random)
    : engine_(engine),
      local_(std::move(local)),
      discovery_(std::move(discovery)),
      survey_(loop, random),
      timer_(loop, [this] { finish(); }) {}

RelayHealth::~RelayHealth() = default;

void RelayHealth::check(HealthDone done) {
  if (!run_ && has_last_ && monotonic_now() - last_at_ < kValidFor) return done(last_);
  waiting_.push_back(std::move(done));
  if (!run_) begin();
}

void RelayHealth::begin() {
  run_ = std::make_shared<Run>();
  timer_.set(monotonic_now() + kPatience);
  const std::shared_ptr<Run> run = run_;
  for (std::size_t i = 0; i < engine_.worker_count(); ++i) {
    const std::size_t at = run->report.checks.size();
    run->report.checks.push_back({.name = fmt::format("worker {}", i), .detail = "gives no sign of life"});
    ++run->pending;
    engine_.ask_worker(
        i, [](RelayWorker&) {},
        [this, weak = std::weak_ptr(run), at] {
          const std::shared_ptr<Run> alive = weak.lock();
          if (!alive) return;
          alive->report.checks[at].ok = true;
          alive->report.checks[at].detail = "works";
          if (--alive->pending == 0) finish();
        });
  }
  for (const Endpoint& address : local_) {
    ask_address(run, address, false);
    ask_address(run, address, true);
  }
  for (const Endpoint& address : discovery_) ask_address(run, address, false);
  engine_.for_each_upstream(
      [&](const Upstream& upstream, std::size_t) { run->report.checks.push_back(upstream_check(upstream)); });
}

void RelayHealth::ask_address(const std::shared_ptr<Run>& run, const Endpoint& address, bool directly) {
  const std::size_t at = run->report.checks.size();
  run->report.checks.push_back(
      {.name = fmt::format("{} {}", directly ? "Request to" : "Discovery to", address.to_string()),
       .detail = "no answer"});
  ++run->pending;
  const RelayProbeOptions options{.target = address,
                                  .request_directly = directly,
                                  .relay_port = address.port,
                                  .timeout = kProbeTimeout,
                                  .tries = kProbeTries};
  const auto on_result = [this, weak = std::weak_ptr(run), at, directly](const ProbeResult& result) {
    const std::shared_ptr<Run> alive = weak.lock();
    if (!alive) return;
    // An Advertisement may name an address that this host does not have (--advertise): its arrival is enough.
    const std::optional<Duration> time = directly ? result.request_time : result.discovery_time;
    HealthCheck& check = alive->report.checks[at];
    check.ok = time.has_value() || (!directly && result.state == RelayProbe::State::kBadRelay);
    if (time) check.detail = milliseconds(*time);
    if (--alive->pending == 0) finish();
  };
  run->tickets.push_back(survey_.ask(options, on_result));
}

void RelayHealth::finish() {
  if (!run_) return;
  for (const RelaySurvey::Ticket ticket : run_->tickets) survey_.cancel(ticket);
  last_ = std::move(run_->report);
  last_at_ = monotonic_now();
  has_last_ = true;
  run_.reset();
  timer_.set(kNoDeadline);
  for (const HealthDone& done : std::exchange(waiting_, {})) done(last_);
}

}  // namespace amt
