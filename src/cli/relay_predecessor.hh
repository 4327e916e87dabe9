#pragma once
/// The relay that ran before this one: what it has handed over, or left behind.

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

  /// Asks the relay whose control socket is at the first of `paths` where somebody listens to hand over. False: nobody
  /// is there. Error: one line for the user; the other relay goes on as if nobody had asked.
  [[nodiscard]] Result<bool, std::string> ask(const std::vector<std::string>& paths);

  /// The sockets that it was asked at; once.
  [[nodiscard]] GivenListeners take_listeners();
  /// Nothing: there is nothing to go on with. Refers to this object.
  [[nodiscard]] std::optional<RelayInheritance> inheritance();
  /// Everything has been taken over: the other process ends now.
  void confirm();

 private:
  [[nodiscard]] SysResult<RelayInheritance::Rest> take_rest();
  /// Nothing: read. Else why it is not to be used.
  [[nodiscard]] std::optional<std::string> read_state(std::vector<GivenDescriptor>& given,
                                                      std::vector<std::byte>& document,
                                                      std::optional<StateReader>& reader);

  std::string control_path_;
  std::optional<DescriptorChannel> channel_;
  std::vector<GivenDescriptor> listeners_;
  std::vector<std::byte> document_;
  std::optional<StateReader> state_;
  std::vector<std::byte> uses_document_;
};

}  // namespace amt
