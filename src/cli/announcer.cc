#include "cli/announcer.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

constexpr Duration kLookInterval = std::chrono::milliseconds(50);
constexpr std::array<std::string_view, 4> kStates{"ready", "unhealthy", "drain", "stop"};
constexpr std::size_t kStop = 3;

}  // namespace

Announcer::Announcer(EventLoop& loop, std::optional<std::string> command)
    : command_(std::move(command)), timer_(loop, [this] { look(); }) {}

SysResult<void> Announcer::open() {
  if (!command_) return {};
  SysResult<CommandHelper> helper = CommandHelper::start(*command_, {kStates.begin(), kStates.end()}, kStop);
  if (!helper) return Unexpected<SysError>(helper.error());
  helper_ = std::move(*helper);
  return {};
}

void Announcer::announce(std::string_view state) {
  if (!helper_ || state == announced_) return;
  announced_ = state;
  next_ = announced_;
  if (!is_running_) start();
}

void Announcer::start() {
  if (!next_) return;
  running_state_ = *std::exchange(next_, std::nullopt);
  const auto number = std::ranges::find(kStates, running_state_) - kStates.begin();
  if (const SysResult<void> asked = helper_->run(static_cast<std::size_t>(number)); !asked) {
    return warn(asked.error().to_string());
  }
  log_info("--announce: {} {}", *command_, running_state_);
  is_running_ = true;
  is_killed_ = false;
  kill_at_ = monotonic_now() + kPatience;
  timer_.set(monotonic_now() + kLookInterval);
}

void Announcer::look() {
  if (!is_running_) return;
  if (const auto ended = helper_->wait(Duration::zero())) return end(*ended);
  if (!is_killed_ && monotonic_now() >= kill_at_) {
    warn("still runs after 30 s, and is killed");
    is_killed_ = true;
    helper_->kill();
  }
  timer_.set(monotonic_now() + kLookInterval);
}

void Announcer::end(const CommandHelper::Ended& ended) {
  is_running_ = false;
  if (ended.failed_to_run != 0) {
    warn("run " + *command_ + ": " + std::generic_category().message(ended.failed_to_run));
  } else if (ended.code != 0 && !is_killed_) {
    warn(fmt::format("status {}", ended.code));
  }
  start();
}

void Announcer::finish(Duration at_most) {
  announce(kStates[kStop]);
  const Instant until = monotonic_now() + at_most;
  while (is_running_ && monotonic_now() < until) {
    if (const auto ended = helper_->wait(kLookInterval)) end(*ended);
  }
}

void Announcer::warn(const std::string& what) const {
  log_warn("--announce {} {}: {}", *command_, running_state_, what);
}

}  // namespace amt
