#include "cli/gateway_predecessor.hh"

#include <array>
#include <utility>

#include "cli/hand_over.hh"
#include "sys/boot_id.hh"
#include "sys/clock.hh"

namespace amt {

Result<bool, std::string> GatewayPredecessor::ask(const std::vector<std::string>& paths) {
  std::string asked;
  Result<std::optional<DescriptorChannel>, std::string> channel = ask_running_daemon(paths, asked);
  if (!channel) return Unexpected<std::string>(channel.error());
  if (!*channel) return false;
  asked_ = asked;
  const Result<void, std::string> received = receive(std::move(**channel));
  if (!received) return Unexpected<std::string>(failure(received.error()));
  return true;
}

Result<void, std::string> GatewayPredecessor::receive(DescriptorChannel channel) {
  channel_.emplace(std::move(channel));
  SysResult<std::vector<GivenDescriptor>> given = receive_descriptors(*channel_, kHandOverPatience);
  if (!given) return Unexpected<std::string>(given.error().to_string());
  listeners_ = std::move(*given);
  return {};
}

std::string GatewayPredecessor::failure(std::string_view why) const { return take_over_failure(asked_, why); }

GivenListeners GatewayPredecessor::take_listeners() { return given_listeners(std::exchange(listeners_, {})); }

Result<GatewayInheritance*, std::string> GatewayPredecessor::take_rest() {
  // One that has ended already has sent everything.
  static_cast<void>(channel_->send(std::array{kFirstPartTaken}, {}));
  SysResult<std::vector<GivenDescriptor>> given = receive_descriptors(*channel_, kHandOverPatience);
  if (!given) return Unexpected<std::string>(given.error().to_string());
  Result<StateOctets, std::string> document = take_document(*given);
  if (!document) return Unexpected<std::string>("its state is " + document.error());
  document_ = std::move(*document);
  const SysResult<BootId> boot = boot_id();
  if (!boot) return Unexpected<std::string>(boot.error().to_string());
  const Result<StateBody, StateRefusal> state =
      StateBody::open(document_, kGatewayState, *boot, monotonic_now(), kStateAgeMax);
  if (!state) return Unexpected<std::string>("its state is " + std::string(to_string(state.error())));
  inheritance_.emplace(GatewayInheritance{*state, std::move(*given)});
  return &*inheritance_;
}

void GatewayPredecessor::confirm() {
  static_cast<void>(channel_->send(std::array{kAllTaken}, {}));
  channel_.reset();
}

}  // namespace amt
