#include "demo/waiting.hh"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <array>

#include "sys/clock.hh"

namespace amt {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
constexpr int kPauseMilliseconds = 2;

volatile sig_atomic_t g_stop = 0;
std::array<struct sigaction, kSignals.size()> g_before;

}  // namespace

StopSignals::StopSignals() {
  g_stop = 0;
  struct sigaction action {};
  action.sa_handler = [](int) { g_stop = 1; };
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &g_before[i]);
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &g_before[i], nullptr);
}

bool stop_requested() { return g_stop != 0; }

DemoResult<void> wait_for(const std::string& what, Duration timeout, const std::function<bool()>& done) {
  const Instant deadline = monotonic_now() + timeout;
  while (!done()) {
    if (stop_requested()) return demo_failure("stopped");
    if (monotonic_now() >= deadline) {
      return demo_failure(
          fmt::format("waited {} s in vain for {}", std::chrono::ceil<std::chrono::seconds>(timeout).count(), what));
    }
    ::poll(nullptr, 0, kPauseMilliseconds);
  }
  return {};
}

}  // namespace amt
