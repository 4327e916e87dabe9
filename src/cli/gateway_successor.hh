#pragma once
/// Hands a running gateway over to the process that takes over from it.

#include <functional>
#include <string>
#include <vector>

#include "engine/gateway/gateway_engine.hh"
#include "engine/runtime/event_loop.hh"
#include "sys/descriptor_channel.hh"

namespace amt {

/// Lives on the engine's loop. Data goes on until the other process is ready for it. From then on this thread waits for
/// it, and nothing is read here: what comes waits in the sockets, which are the other one's, too.
class GatewaySuccessor {
 public:
  /// `done`: the other process has everything, and this one is to end; or why not: then everything goes on here as if
  /// nobody had asked. It may destroy this object. `listeners`: sockets that the gateway is asked at.
  using Done = std::function<void(Result<void, std::string> taken)>;
  GatewaySuccessor(EventLoop& loop, const GatewayEngine& engine, DescriptorChannel channel,
                   const std::vector<LentDescriptor>& listeners, Done done);

 private:
  void on_answer();
  [[nodiscard]] Result<void, std::string> give_rest();
  void finish(Result<void, std::string> taken);

  const GatewayEngine& engine_;
  DescriptorChannel channel_;
  Done done_;
  std::string problem_;
  Timer patience_;
  ReadWatch answers_;
};

/// Leaves everything in `channel` for a process that reads it later.
[[nodiscard]] SysResult<void> leave_everything(const GatewayEngine& engine, DescriptorChannel& channel,
                                               const std::vector<LentDescriptor>& listeners);

}  // namespace amt
