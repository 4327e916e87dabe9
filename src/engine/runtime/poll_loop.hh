#pragma once
/// A loop inside of another loop: a descriptor to wait for, a deadline, and a call when either is due. epoll(7).

#include <map>
#include <memory>
#include <optional>

#include "engine/runtime/loop.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Belongs to the thread that calls it; may move to another between two calls. Outlives the objects that run on it.
class PollLoop final : public Loop {
 public:
  static SysResult<std::unique_ptr<PollLoop>> open();
  ~PollLoop() override;

  /// Readable when `process` has something to do.
  [[nodiscard]] int fd() const { return epoll_.get(); }
  /// When `process` has something to do though nothing is readable.
  [[nodiscard]] Instant next_deadline() const;
  /// Calls each handler that is due at `now`, once. Never blocks. Error: a descriptor could not be watched, or
  /// epoll_wait(2) failed: objects on the loop cannot go on.
  SysResult<void> process(Instant now);

 private:
  class Watch;
  class Deadline;
  explicit PollLoop(UniqueFd epoll) : epoll_(std::move(epoll)) {}
  std::shared_ptr<LoopWatch> watch(int fd, std::function<void()> on_readable) override;
  std::shared_ptr<LoopTimer> make_timer(std::function<void()> on_due) override;
  void call_due(Instant now);

  UniqueFd epoll_;
  /// Of epoll_ctl(2), the first.
  std::optional<SysError> failure_;
  /// By descriptor.
  std::map<int, std::shared_ptr<Watch>> watches_;
  std::multimap<Instant, std::shared_ptr<Deadline>> deadlines_;
};

}  // namespace amt
