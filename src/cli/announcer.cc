#include "cli/announcer.hh"

#include <fmt/format.h>

#include <utility>

#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

constexpr Duration kLookInterval = std::chrono::milliseconds(50);

}  // namespace

Announcer::Announcer(EventLoop& loop, std::optional<std::string> command)
    : command_(std::move(command)), timer_(loop, [this] { look(); }) {}

void Announcer::announce(std::string_view state) {
  if (!command_ || state == announced_) return;
  announced_ = state;
  next_ = announced_;
  if (!running_) start();
}

void Announcer::start() {
  if (!next_) return;
  running_state_ = *std::exchange(next_, std::nullopt);
  SysResult<Process> process = Process::spawn({.arguments = {*command_, running_state_}});
  if (!process) return warn(process.error().to_string());
  log_info("--announce: {} {}", *command_, running_state_);
  running_ = std::move(*process);
  kill_at_ = monotonic_now() + kPatience;
  timer_.set(monotonic_now() + kLookInterval);
}

void Announcer::look() {
  if (!running_) return;
  if (const std::optional<ExitStatus> ended = running_->wait(Duration::zero())) {
    if (ended->code != 0) warn(fmt::format("status {}", ended->code));
    running_.reset();
    return start();
  }
  if (monotonic_now() >= kill_at_) {
    warn("still runs after 30 s, and is killed");
    running_.reset();
    return start();
  }
  timer_.set(monotonic_now() + kLookInterval);
}

void Announcer::finish(Duration at_most) {
  announce("stop");
  const Instant until = monotonic_now() + at_most;
  while (running_ && monotonic_now() < until) {
    static_cast<void>(running_->wait(kLookInterval));
    look();
  }
}

void Announcer::warn(const std::string& what) const {
  log_warn("--announce {} {}: {}", *command_, running_state_, what);
}

}  // namespace amt
