#pragma once
/// Hands a running relay over to the process that takes over from it (docs/relay-threads.md).

#include <functional>
#include <string>
#include <vector>

#include "engine/relay/relay_engine.hh"
#include "engine/runtime/event_loop.hh"
#include "sys/descriptor_channel.hh"

namespace amt {

/// Lives on the engine's loop. The data goes on until the other process has the tunnels; then sockets and captures go
/// to it as they are, with their waiting datagrams.
class RelaySuccessor {
 public:
  /// `done`: the other process has everything, and this one is to end; or why not: then everything goes on here as
  /// before. It may destroy this object. `listeners`: sockets that the relay is asked at.
  using Done = std::function<void(Result<void, std::string> taken)>;
  RelaySuccessor(EventLoop& loop, RelayEngine& engine, DescriptorChannel channel, std::vector<LentDescriptor> listeners,
                 Done done);

 private:
  enum class Phase { kCollecting, kTunnelsOffered, kAllOffered };

  void offer_tunnels(const std::vector<std::byte>& document);
  void offer_all();
  void on_answer();
  void fail(const std::string& why);

  RelayEngine& engine_;
  DescriptorChannel channel_;
  std::vector<LentDescriptor> listeners_;
  Done done_;
  BootId boot_{};
  Phase phase_ = Phase::kCollecting;
  /// Cancels callbacks of the workers when this object is gone.
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  Timer patience_;
  ReadWatch answers_;
};

/// Leaves everything in `channel` for a process that reads it later; the workers have stopped.
[[nodiscard]] SysResult<void> leave_everything(RelayEngine& engine, DescriptorChannel& channel,
                                               const std::vector<LentDescriptor>& listeners);

}  // namespace amt
