#pragma once
/// What a daemon that takes over and one that hands over have in common, relay or gateway (docs/relay-threads.md).
/// Main thread.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amt/result.hh"
#include "base/state_document.hh"
#include "cli/observation.hh"
#include "engine/runtime/named_descriptors.hh"
#include "sys/descriptor_channel.hh"

namespace amt {

/// Older state may be another's by now: a relay's gateways have gone elsewhere.
inline constexpr Duration kStateAgeMax = std::chrono::minutes(1);
/// How long either side waits for the other, which may have a million tunnels to walk through.
inline constexpr Duration kHandOverPatience = std::chrono::seconds(20);

/// Said to the one that hands over, an octet each. The first part is here: send no more data, and give the rest.
inline constexpr std::byte kFirstPartTaken{1};
/// Everything is here, and runs.
inline constexpr std::byte kAllTaken{2};

/// Asks the daemon whose control socket is at the first of `paths` where somebody listens to hand over; `asked` becomes
/// that path. Nothing: nobody is there. Error: why it does not, for the user.
[[nodiscard]] Result<std::optional<DescriptorChannel>, std::string> ask_running_daemon(
    const std::vector<std::string>& paths, std::string& asked);
/// `--take-over: PATH: why (it goes on)`
[[nodiscard]] std::string take_over_failure(const std::string& asked, std::string_view why);

/// Somebody who asked for everything.
struct Claimant {
  DescriptorChannel channel;
  int process = 0;
};
/// Gives the process behind `client` one end of a channel. Nothing: it may not have it, as the log says by now. `role`:
/// "relay" or "gateway".
[[nodiscard]] std::optional<Claimant> admit_claimant(const UniqueFd& client, std::string_view role);

/// One of the parts in which everything goes over: a document in sealed memory, and descriptors.
[[nodiscard]] SysResult<void> send_part(DescriptorChannel& to, const StateOctets& document,
                                        std::vector<LentDescriptor> descriptors);
/// What is in the sealed memory among `given`, which is taken out. Error: why it is not to be used, after "its state
/// is".
[[nodiscard]] Result<StateOctets, std::string> take_document(std::vector<GivenDescriptor>& given);

/// Leaves everything in systemd's descriptor store, for the process that it starts next: `leave` writes it to a
/// channel, whose other end is kept as `name`. False: that failed, as the log says by now.
[[nodiscard]] bool leave_in_store(const char* name, const std::function<SysResult<void>(DescriptorChannel&)>& leave);

/// The sockets that a daemon is asked at.
[[nodiscard]] std::vector<LentDescriptor> lend_listeners(const Observation& observation);
[[nodiscard]] GivenListeners given_listeners(std::vector<GivenDescriptor> given);
/// Whether their files stay when this process ends: they are another one's.
void set_listener_files_kept(Observation& observation, bool kept);

}  // namespace amt
