#pragma once
/// A process that keeps its privileges for one purpose: to run one command at the request of its owner, which has given
/// up its own.

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sys/error.hh"
#include "sys/process.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Runs the command that was named at its start and no other, with one of the words that were named then, one at a
/// time. Its owner sends only the number of a word, so an attacker in the owner cannot do more with it. It ends, and
/// kills its command, when its owner does. Signals that end the owner do not end it, so the last word may be sent
/// afterwards. Where the owner dies without a word (SIGKILL, a crash), the helper says the farewell in its place. Of
/// one thread, the one that started it.
class CommandHelper {
 public:
  static constexpr std::size_t kWordsMax = 100;
  /// Then the command that says the farewell is killed.
  static constexpr Duration kFarewellPatience = std::chrono::seconds(30);

  /// Forks: call it while the process has one thread. At most `kWordsMax` words. `farewell`: the number of one; not
  /// said when it was the last to be run, nor when this object is destroyed.
  static SysResult<CommandHelper> start(std::string command, std::vector<std::string> words,
                                        std::optional<std::size_t> farewell = {});

  /// Nothing may be running. Error: the helper is gone.
  SysResult<void> run(std::size_t word);
  struct Ended {
    int code = 0;           ///< as ExitStatus::code
    int failed_to_run = 0;  ///< errno: the command could not be started, or the helper is gone (EPIPE)
  };
  /// Waits this long for the command to end. Nothing: it still runs.
  [[nodiscard]] std::optional<Ended> wait(Duration at_most) const;
  /// Has the running command killed; `wait` gives its end.
  void kill() const;
  /// To the helper itself, for tests.
  void signal(int number) const { helper_.signal(number); }

 private:
  CommandHelper(UniqueFd channel, Process helper) : channel_(std::move(channel)), helper_(std::move(helper)) {}

  UniqueFd channel_;
  Process helper_;
};

}  // namespace amt
