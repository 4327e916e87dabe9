#include "cli/relay_predecessor.hh"

#include <array>
#include <cerrno>
#include <utility>

#include "cli/hand_over.hh"
#include "io/steering.hh"
#include "sys/boot_id.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

Result<StateReader, std::string> open_state(Bytes document) {
  const SysResult<BootId> boot = boot_id();
  if (!boot) return Unexpected<std::string>("not to be told from an old one: " + boot.error().to_string());
  const Result<StateReader, StateRefusal> opened = StateReader::open(document, *boot, monotonic_now(), kStateAgeMax);
  if (!opened) return Unexpected<std::string>(std::string(to_string(opened.error())));
  return *opened;
}

}  // namespace

Result<bool, std::string> RelayPredecessor::ask(const std::vector<std::string>& paths) {
  std::string asked;
  Result<std::optional<DescriptorChannel>, std::string> channel = ask_running_daemon(paths, asked);
  if (!channel) return Unexpected<std::string>(channel.error());
  if (!*channel) return false;
  const Result<void, std::string> received = receive(std::move(**channel));
  if (!received) return Unexpected<std::string>(take_over_failure(asked, received.error()));
  return true;
}

Result<void, std::string> RelayPredecessor::receive(DescriptorChannel channel) {
  channel_.emplace(std::move(channel));
  Result<void, std::string> received = receive_tunnels();
  if (!received) channel_.reset();
  return received;
}

Result<void, std::string> RelayPredecessor::read(std::vector<std::byte> document) {
  document_ = std::move(document);
  return take_state(open_state(document_));
}

Result<void, std::string> RelayPredecessor::receive_tunnels() {
  SysResult<std::vector<GivenDescriptor>> given = receive_descriptors(*channel_, kHandOverPatience);
  if (!given) return Unexpected<std::string>(given.error().to_string());
  if (Result<void, std::string> taken = take_state(open_given(*given, document_)); !taken) return taken;
  listeners_ = std::move(*given);
  return {};
}

Result<void, std::string> RelayPredecessor::take_state(Result<StateReader, std::string> state) {
  if (!state) return Unexpected<std::string>("its state is " + state.error());
  const std::optional<SharedState>& shared = state->shared();
  if (!shared || shared->workers == 0 || shared->workers > Steering::kWorkersMax) {
    return Unexpected<std::string>("its state is damaged");
  }
  state_.emplace(std::move(*state));
  return {};
}

Result<StateReader, std::string> RelayPredecessor::open_given(std::vector<GivenDescriptor>& given,
                                                              std::vector<std::byte>& document) {
  Result<StateOctets, std::string> octets = take_document(given);
  if (!octets) return Unexpected<std::string>(octets.error());
  document = std::move(*octets);
  return open_state(document);
}

GivenListeners RelayPredecessor::take_listeners() { return given_listeners(std::exchange(listeners_, {})); }

RelayInheritance RelayPredecessor::inheritance() {
  RelayInheritance inheritance{.state = &*state_};
  if (channel_) inheritance.take_rest = [this] { return take_rest(); };
  return inheritance;
}

SysResult<RelayInheritance::Rest> RelayPredecessor::take_rest() {
  // One that has ended already has sent everything.
  static_cast<void>(channel_->send(std::array{kFirstPartTaken}, {}));
  SysResult<std::vector<GivenDescriptor>> given = receive_descriptors(*channel_, kHandOverPatience);
  if (!given) return Unexpected<SysError>(given.error());
  Result<StateReader, std::string> uses = open_given(*given, uses_document_);
  if (!uses) return Unexpected<SysError>(SysError{"take over", "a state that is " + uses.error(), EBADMSG});
  return RelayInheritance::Rest{std::move(*given), std::move(*uses)};
}

void RelayPredecessor::confirm() {
  if (channel_) static_cast<void>(channel_->send(std::array{kAllTaken}, {}));
  channel_.reset();
}

}  // namespace amt
