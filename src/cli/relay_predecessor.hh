#pragma once
/// The state of the relay that ran before this one, handed over or left behind.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/observation.hh"
#include "engine/relay/relay_inheritance.hh"
#include "sys/descriptor_channel.hh"

namespace amt {

/// Never moved, since readers point into its documents.
class RelayPredecessor {
 public:
  RelayPredecessor() = default;
  RelayPredecessor(const RelayPredecessor&) = delete;
  RelayPredecessor& operator=(const RelayPredecessor&) = delete;

  /// Asks the relay whose control socket is at the first of `paths` with a listener to hand over. False: there is none.
  /// Error: one line for the user; the other relay goes on as before.
  [[nodiscard]] Result<bool, std::string> ask(const std::vector<std::string>& paths);
  /// The same of one that has ended, and sent everything through the other end of `channel`. Error: a text for the log;
  /// there is nothing to go on with.
  [[nodiscard]] Result<void, std::string> receive(DescriptorChannel channel);
  /// One that has died and left this document, but no sockets. Error: why it is not to be used.
  [[nodiscard]] Result<void, std::string> read(std::vector<std::byte> document);

  /// Whether it gives its sockets.
  [[nodiscard]] bool gives_sockets() const { return channel_.has_value(); }
  /// The sockets that it was asked at; once.
  [[nodiscard]] GivenListeners take_listeners();
  /// After one of the three above. Refers to this object.
  [[nodiscard]] RelayInheritance inheritance();
  [[nodiscard]] const SharedState& shared() const { return *state_->shared(); }
  /// Everything has been taken over: the other process ends now.
  void confirm();

 private:
  [[nodiscard]] SysResult<RelayInheritance::Rest> take_rest();
  /// The octets of the sealed memory among `given`. Error: why it is not to be used.
  [[nodiscard]] static Result<StateReader, std::string> open_given(std::vector<GivenDescriptor>& given,
                                                                   std::vector<std::byte>& document);
  /// The first of the two parts.
  [[nodiscard]] Result<void, std::string> receive_tunnels();
  [[nodiscard]] Result<void, std::string> take_state(Result<StateReader, std::string> state);

  std::optional<DescriptorChannel> channel_;
  std::vector<GivenDescriptor> listeners_;
  std::vector<std::byte> document_;
  std::optional<StateReader> state_;
  std::vector<std::byte> uses_document_;
};

}  // namespace amt
