#pragma once
/// Beginnings and ends of tunnels and channels, for accounting: the event file, flow records.

#include <cstdint>
#include <string_view>

#include "amt/channel.hh"
#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "relay/relay_counters.hh"

namespace amt {

/// Why a tunnel, or one of its channels, ended. Each is one counter.
enum class EndReason : std::uint8_t {
  kLeft,         ///< an Update: the gateway wants it no more
  kTornDown,     ///< a Teardown
  kExpired,      ///< silence
  kUnreachable,  ///< ICMP errors
  kMoved,        ///< the gateway left or tore down while the relay was draining
  kDrained,      ///< the time of a drain was over
  kShutDown,     ///< the relay ended
};
/// "torn-down".
[[nodiscard]] std::string_view to_string(EndReason reason);
/// Of tunnels that ended so.
[[nodiscard]] RelayCounter counter_of(EndReason reason);

/// The part of a channel that has been reported, and until when.
struct FlowTold {
  Instant until{};
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
};

/// The intervals at which a channel that goes on is reported (RFC 5102, flowEndReason).
struct FlowTimeouts {
  Duration active = std::chrono::seconds(60);
  Duration idle = std::chrono::seconds(15);
};

/// A tunnel, or a channel of one, begins or ends; or, where flows are reported, a channel goes on.
struct RelayEvent {
  enum class Kind : std::uint8_t { kTunnelBegin, kTunnelEnd, kChannelBegin, kChannelEnd, kFlow };
  Kind kind{};
  EndReason reason{};  ///< of an end
  Endpoint endpoint{};
  Channel channel{};  ///< of a channel or flow
  Instant at{};
  /// When it began.
  Instant since{};
  /// Of an end or flow: inner datagrams and their octets since it began.
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  /// Of a channel or flow: the part that earlier `kFlow` events have reported.
  FlowTold told{};
  bool is_idle = false;  ///< of a flow: nothing has come for the idle time-out; else the active time-out is over

  [[nodiscard]] bool is_end() const { return kind == Kind::kTunnelEnd || kind == Kind::kChannelEnd; }
};

}  // namespace amt
