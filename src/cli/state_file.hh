#pragma once
/// `--state`: what a relay knows, for the one that starts after it has died.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "amt/result.hh"
#include "engine/relay/relay_engine.hh"
#include "engine/runtime/event_loop.hh"

namespace amt {

/// Takes the file away and gives what was in it: a relay that dies of it does not die of it again. Nothing: there is
/// none. Error: it is not to be believed, since it is another user's, or others may read or write it; a text for the
/// log.
[[nodiscard]] Result<std::optional<std::vector<std::byte>>, std::string> take_state_file(const std::string& path);

/// Writes the file every few seconds, whole or not at all. Lives on the engine's loop, and ends before the engine.
class StateFile {
 public:
  StateFile(EventLoop& loop, RelayEngine& engine, std::string path);
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  /// The relay has ended, and its tunnels with it.
  void remove();

 private:
  void collect();
  void write(const std::vector<std::byte>& document);

  RelayEngine& engine_;
  std::string path_;
  /// Ends what waits for the workers when this object is gone.
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  Instant began_{};
  Timer timer_;
};

}  // namespace amt
