#pragma once
/// The gateway that ran before this one: what it hands over, or has left with systemd.

#include <optional>
#include <string>
#include <vector>

#include "cli/observation.hh"
#include "engine/gateway/gateway_inheritance.hh"
#include "sys/descriptor_channel.hh"

namespace amt {

/// Everything comes in two parts: first the sockets that it is asked at, while it goes on, then the rest, and from then
/// on it does nothing more. Never moved, since what is inherited points into its document.
class GatewayPredecessor {
 public:
  GatewayPredecessor() = default;
  GatewayPredecessor(const GatewayPredecessor&) = delete;
  GatewayPredecessor& operator=(const GatewayPredecessor&) = delete;

  /// Asks the gateway whose control socket is at the first of `paths` where somebody listens to hand over. False:
  /// nobody is there. Error: one line for the user; the other gateway goes on as if nobody had asked.
  [[nodiscard]] Result<bool, std::string> ask(const std::vector<std::string>& paths);
  /// The same of one that has ended, and sent everything through the other end of `channel`. Error: a text for the log;
  /// there is nothing to go on with.
  [[nodiscard]] Result<void, std::string> receive(DescriptorChannel channel);

  /// It runs, and goes on if this process cannot.
  [[nodiscard]] bool is_running() const { return !asked_.empty(); }
  /// One line for the user, of one that runs.
  [[nodiscard]] std::string failure(std::string_view why) const;
  /// The sockets that it was asked at; once.
  [[nodiscard]] GivenListeners take_listeners();
  /// The second part. The result belongs to this object. Error: a text for the log.
  [[nodiscard]] Result<GatewayInheritance*, std::string> take_rest();
  /// Everything has been taken over: the other process ends now.
  void confirm();

 private:
  /// Where one that runs was asked.
  std::string asked_;
  std::optional<DescriptorChannel> channel_;
  std::vector<GivenDescriptor> listeners_;
  StateOctets document_;
  std::optional<GatewayInheritance> inheritance_;
};

}  // namespace amt
