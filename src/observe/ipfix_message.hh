#pragma once
/// IPFIX messages (RFC 7011): flow records of a relay, for a collector.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "amt/channel.hh"
#include "amt/endpoint.hh"
#include "sys/clock.hh"

namespace amt {

/// Why a record is sent now: flowEndReason (IANA element 136).
enum class FlowEnd : std::uint8_t {
  kIdle = 1,    ///< nothing came of the channel for the idle time-out
  kActive = 2,  ///< it goes on; data since the last record
  kEnded = 3,   ///< the gateway wants it no more, or is gone
  kForced = 4,  ///< the relay ended
};

/// The data of one channel to one gateway in a period. To the collector a flow from the source to the group, whose next
/// hop is the gateway.
struct FlowRecord {
  Endpoint gateway{};
  Channel channel{};  ///< without a source its address is all zeros
  WallTime start{};
  WallTime end{};
  std::uint64_t packets = 0;  ///< inner datagrams
  std::uint64_t octets = 0;
  FlowEnd reason{};
};

/// Packs records into messages for UDP. Pure; the caller gives the time. Each message names the number of records
/// before it, so that a collector sees losses.
class IpfixWriter {
 public:
  /// A UDP payload that fits every path of IPv6 with room for a tunnel.
  static constexpr std::size_t kMessageOctetsMax = 1200;
  /// Over UDP templates are repeated (RFC 7011 §8.4): before the first record, and so often.
  static constexpr std::chrono::minutes kTemplateInterval{5};

  /// `domain`: Observation Domain ID.
  explicit IpfixWriter(std::uint32_t domain) : domain_(domain) {}

  /// The records as messages that bear the time `now`, and the templates in front when they are due.
  [[nodiscard]] std::vector<std::vector<std::byte>> write(WallTime now, std::span<const FlowRecord> records);

 private:
  [[nodiscard]] std::vector<std::byte> message(WallTime now, std::span<const std::byte> sets) const;

  std::uint32_t domain_;
  std::uint32_t sequence_ = 0;
  std::optional<WallTime> templates_sent_;
};

}  // namespace amt
