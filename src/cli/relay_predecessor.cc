#include "cli/relay_predecessor.hh"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <utility>

#include "cli/control_paths.hh"
#include "cli/hand_over_words.hh"
#include "io/steering.hh"
#include "observe/hand_over_client.hh"
#include "sys/boot_id.hh"
#include "sys/clock.hh"
#include "sys/sealed_memory.hh"

namespace amt {
namespace {

using Kind = RelayDescriptor::Kind;

/// It walks through a million tunnels first.
constexpr Duration kPatience = std::chrono::seconds(20);
/// Older tunnels may have another relay by now.
constexpr Duration kAgeMax = std::chrono::minutes(1);

Result<StateReader, std::string> open_state(Bytes document) {
  const SysResult<BootId> boot = boot_id();
  if (!boot) return Unexpected<std::string>("not to be told from an old one: " + boot.error().to_string());
  const Result<StateReader, StateRefusal> opened = StateReader::open(document, *boot, monotonic_now(), kAgeMax);
  if (!opened) return Unexpected<std::string>(std::string(to_string(opened.error())));
  return *opened;
}

}  // namespace

Result<bool, std::string> RelayPredecessor::ask(const std::vector<std::string>& paths) {
  const auto fail = [this](const std::string& why) {
    channel_.reset();
    return Unexpected<std::string>(fmt::format("--take-over: {}: {} (it goes on)", control_path_, why));
  };
  for (const std::string& path : paths) {
    control_path_ = path;
    std::string why;
    SysResult<DescriptorChannel> channel = ask_for_hand_over(path, why);
    if (!channel && is_nobody_there(channel.error())) continue;
    if (!channel) return fail(why.empty() ? explain_asking(channel.error()) : why);
    channel_.emplace(std::move(*channel));
    const Result<void, std::string> received = receive_tunnels();
    if (!received) return fail(received.error());
    return true;
  }
  return false;
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
  SysResult<std::vector<GivenDescriptor>> given = receive_descriptors(*channel_, kPatience);
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
  const std::optional<GivenDescriptor> memory = take_descriptor(given, Kind::kState);
  if (!memory) return Unexpected<std::string>("not there");
  SysResult<std::vector<std::byte>> octets = read_sealed_memory(memory->descriptor.get(), kStateOctetsMax);
  if (!octets) return Unexpected<std::string>("not readable: " + octets.error().to_string());
  document = std::move(*octets);
  return open_state(document);
}

GivenListeners RelayPredecessor::take_listeners() {
  GivenListeners out;
  for (GivenDescriptor& listener : listeners_) {
    (listener.what.name == kControlListener ? out.control : out.http) = std::move(listener.descriptor);
  }
  listeners_.clear();
  return out;
}

RelayInheritance RelayPredecessor::inheritance() {
  RelayInheritance inheritance{.state = &*state_};
  if (channel_) inheritance.take_rest = [this] { return take_rest(); };
  return inheritance;
}

SysResult<RelayInheritance::Rest> RelayPredecessor::take_rest() {
  // One that has ended already has sent everything.
  static_cast<void>(channel_->send(std::array{kTunnelsTaken}, {}));
  SysResult<std::vector<GivenDescriptor>> given = receive_descriptors(*channel_, kPatience);
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
