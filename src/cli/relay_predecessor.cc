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
/// Of what is handed over there and then.
constexpr Duration kAgeMax = std::chrono::minutes(1);

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
    if (!channel && !why.empty()) return fail(why);
    if (!channel) return fail(explain_asking(channel.error()));
    channel_.emplace(std::move(*channel));
    SysResult<std::vector<GivenDescriptor>> given = receive_descriptors(*channel_, kPatience);
    if (!given) return fail(given.error().to_string());
    if (const auto refusal = read_state(*given, document_, state_)) return fail("its state is " + *refusal);
    if (!state_->shared()) return fail("its state is damaged");
    listeners_ = std::move(*given);
    return true;
  }
  return false;
}

std::optional<std::string> RelayPredecessor::read_state(std::vector<GivenDescriptor>& given,
                                                        std::vector<std::byte>& document,
                                                        std::optional<StateReader>& reader) {
  const std::optional<GivenDescriptor> memory = take_descriptor(given, Kind::kState);
  if (!memory) return "not there";
  SysResult<std::vector<std::byte>> octets = read_sealed_memory(memory->descriptor.get(), kStateOctetsMax);
  if (!octets) return octets.error().to_string();
  document = std::move(*octets);
  const SysResult<BootId> boot = boot_id();
  if (!boot) return boot.error().to_string();
  Result<StateReader, StateRefusal> opened = StateReader::open(document, *boot, monotonic_now(), kAgeMax);
  if (!opened) return std::string(to_string(opened.error()));
  const std::optional<SharedState>& shared = opened->shared();
  if (shared && (shared->workers == 0 || shared->workers > Steering::kWorkersMax)) return "damaged";
  reader.emplace(std::move(*opened));
  return std::nullopt;
}

GivenListeners RelayPredecessor::take_listeners() {
  GivenListeners out{.control_path = control_path_};
  for (GivenDescriptor& listener : listeners_) {
    (listener.what.name == kControlListener ? out.control : out.http) = std::move(listener.descriptor);
  }
  listeners_.clear();
  return out;
}

std::optional<RelayInheritance> RelayPredecessor::inheritance() {
  if (!state_) return std::nullopt;
  RelayInheritance inheritance{.state = &*state_};
  if (channel_) inheritance.take_rest = [this] { return take_rest(); };
  return inheritance;
}

SysResult<RelayInheritance::Rest> RelayPredecessor::take_rest() {
  // Where that process has ended already, it has sent everything.
  static_cast<void>(channel_->send(std::array{kTunnelsTaken}, {}));
  SysResult<std::vector<GivenDescriptor>> given = receive_descriptors(*channel_, kPatience);
  if (!given) return Unexpected<SysError>(given.error());
  RelayInheritance::Rest rest;
  if (const auto refusal = read_state(*given, uses_document_, rest.uses)) {
    return Unexpected<SysError>(SysError{"take over", "a state that is " + *refusal, EBADMSG});
  }
  rest.descriptors = std::move(*given);
  return rest;
}

void RelayPredecessor::confirm() {
  if (channel_) static_cast<void>(channel_->send(std::array{kAllTaken}, {}));
  channel_.reset();
}

}  // namespace amt
