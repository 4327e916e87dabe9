#pragma once
/// The descriptors of a relay or a gateway, for the process that goes on with it.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "amt/endpoint.hh"
#include "base/byte_reader.hh"
#include "sys/descriptor_channel.hh"

namespace amt {

/// What one descriptor is.
struct NamedDescriptor {
  enum class Kind : std::uint8_t {
    kState,     ///< a state document, in sealed memory
    kListener,  ///< a socket that status is asked at: `name` is "control" or "http"
    kSocket,    ///< UDP, of `owner`, bound to `local`
    kCapture,   ///< of `owner`, a packet ring on the interface `name`
    kTun,       ///< the interface `name`
    kJoin,      ///< keeps channels joined while it is open
    kLan,       ///< hears IGMP and MLD of the interface `name`, and sends there
    kLast,      ///< no descriptor: that was all
  };
  Kind kind{};
  /// A relay's worker; a gateway's `SocketId`.
  std::uint32_t owner = 0;
  Endpoint local{};
  std::string name{};
  /// What else its owner has to say of it.
  std::array<std::uint64_t, 6> numbers{};
};

/// One that this process has; it stays its owner's, too.
struct LentDescriptor {
  NamedDescriptor what;
  int descriptor = -1;
};
/// One that another process has given.
struct GivenDescriptor {
  NamedDescriptor what;
  UniqueFd descriptor{};
};

/// In as few messages as they take, and after them `Kind::kLast`.
[[nodiscard]] SysResult<void> send_descriptors(DescriptorChannel& to, const std::vector<LentDescriptor>& descriptors);
/// Up to `Kind::kLast`. Error ECONNRESET: the other end was closed before; EBADMSG: what came is no such message.
[[nodiscard]] SysResult<std::vector<GivenDescriptor>> receive_descriptors(DescriptorChannel& from, Duration patience);

/// Takes the first descriptor of this kind for which `is_wanted` is true out of the list. Nothing: there is none.
template <typename IsWanted>
[[nodiscard]] std::optional<GivenDescriptor> take_descriptor(std::vector<GivenDescriptor>& from,
                                                             NamedDescriptor::Kind kind, const IsWanted& is_wanted) {
  const auto found = std::ranges::find_if(
      from, [&](const GivenDescriptor& one) { return one.what.kind == kind && is_wanted(one.what); });
  if (found == from.end()) return std::nullopt;
  GivenDescriptor taken = std::move(*found);
  from.erase(found);
  return taken;
}
/// Takes the first descriptor of this kind.
[[nodiscard]] inline std::optional<GivenDescriptor> take_descriptor(std::vector<GivenDescriptor>& from,
                                                                    NamedDescriptor::Kind kind) {
  return take_descriptor(from, kind, [](const NamedDescriptor&) { return true; });
}

}  // namespace amt
