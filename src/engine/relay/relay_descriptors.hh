#pragma once
/// The descriptors of a relay, for the process that goes on with it.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "amt/endpoint.hh"
#include "base/byte_reader.hh"
#include "engine/relay/upstream.hh"
#include "io/packet_ring.hh"
#include "sys/descriptor_channel.hh"

namespace amt {

/// What one descriptor is.
struct RelayDescriptor {
  enum class Kind : std::uint8_t {
    kState,     ///< a state document, in sealed memory
    kListener,  ///< a socket that status is asked at: `name` is "control" or "http"
    kSocket,    ///< of `worker`, bound to `local`
    kCapture,   ///< of `worker`, a packet ring on the interface `name`
    kTun,       ///< router mode: the interface `name`
    kJoin,      ///< keeps channels joined while it is open
    kLast,      ///< no descriptor: that was all
  };
  Kind kind{};
  std::uint32_t worker = 0;
  Endpoint local{};
  std::string name{};
  PacketRingPlace ring{};
  UpstreamCapture::Statistics captured{};
};

/// One that this process has; it stays its owner's, too.
struct LentDescriptor {
  RelayDescriptor what;
  int descriptor = -1;
};
/// One that another process has given.
struct GivenDescriptor {
  RelayDescriptor what;
  UniqueFd descriptor{};
};

/// In as few messages as they take, and after them `Kind::kLast`.
[[nodiscard]] SysResult<void> send_descriptors(DescriptorChannel& to, const std::vector<LentDescriptor>& descriptors);
/// Up to `Kind::kLast`. Error ECONNRESET: the other end was closed before; EBADMSG: what came is no such message.
[[nodiscard]] SysResult<std::vector<GivenDescriptor>> receive_descriptors(DescriptorChannel& from, Duration patience);

/// Takes the first descriptor of this kind for which `is_wanted` is true out of the list. Nothing: there is none.
template <typename IsWanted>
[[nodiscard]] std::optional<GivenDescriptor> take_descriptor(std::vector<GivenDescriptor>& from,
                                                             RelayDescriptor::Kind kind, const IsWanted& is_wanted) {
  const auto found = std::ranges::find_if(
      from, [&](const GivenDescriptor& one) { return one.what.kind == kind && is_wanted(one.what); });
  if (found == from.end()) return std::nullopt;
  GivenDescriptor taken = std::move(*found);
  from.erase(found);
  return taken;
}
/// Takes the first descriptor of this kind.
[[nodiscard]] inline std::optional<GivenDescriptor> take_descriptor(std::vector<GivenDescriptor>& from,
                                                                    RelayDescriptor::Kind kind) {
  return take_descriptor(from, kind, [](const RelayDescriptor&) { return true; });
}

}  // namespace amt
