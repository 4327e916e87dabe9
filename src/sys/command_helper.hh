#pragma once
/// A process that keeps its privileges for one purpose: to run one command when its owner, who has given up his, asks.

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
/// time. It hears nothing from its owner but the number of a word, so whoever takes the owner over cannot do more with
/// it. It ends, and kills what it runs, when its owner does; signals that end the owner do not end it, so the last word
/// may be said afterwards. Where the owner dies without a word (SIGKILL, a crash), the helper says the farewell in its
/// place. Of one thread, the one that started it.
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
  /// Waits so long for the end of what runs. Nothing: it runs still.
  [[nodiscard]] std::optional<Ended> wait(Duration at_most) const;
  /// Has what runs killed; `wait` gives its end.
  void kill() const;
  /// To the helper itself, for tests.
  void signal(int number) const { helper_.signal(number); }

 private:
  CommandHelper(UniqueFd channel, Process helper) : channel_(std::move(channel)), helper_(std::move(helper)) {}

  UniqueFd channel_;
  Process helper_;
};

}  // namespace amt
