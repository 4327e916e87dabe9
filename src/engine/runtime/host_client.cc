#include "engine/runtime/host_client.hh"

#include <optional>
#include <utility>

#include "sys/clock.hh"

namespace amt {
namespace {

/// The C library has no descriptor to wait on.
constexpr Duration kPollInterval = std::chrono::milliseconds(200);

HostAnswer to_answer(const HostAddresses& found) {
  if (found) return {*found, {}};
  return {{}, found.error().text};
}

}  // namespace

HostClient::HostClient(Loop& loop) : timer_(loop, [this] { poll(); }) {}

void HostClient::look_up(const std::string& name, AnswerHandler on_answer) {
  queries_.emplace_back(name, std::move(on_answer));
  timer_.set(monotonic_now() + kPollInterval);
}

void HostClient::poll() {
  std::list<std::pair<AnswerHandler, HostAnswer>> answered;
  for (auto query = queries_.begin(); query != queries_.end();) {
    const auto current = query++;
    const std::optional<HostAddresses> found = current->lookup.poll();
    if (!found) continue;
    answered.emplace_back(std::move(current->on_answer), to_answer(*found));
    queries_.erase(current);
  }
  if (!queries_.empty()) timer_.set(monotonic_now() + kPollInterval);
  // A handler may begin the next look-up.
  for (const auto& [on_answer, answer] : answered) on_answer(answer);
}

}  // namespace amt
