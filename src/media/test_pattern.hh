#pragma once
/// Numbered, checksummed packets: what `amt send` sends and `amt receive --verify` checks.
///
///      0                   1                   2                   3
///     +---------------------------------------------------------------+
///     | "amt test" (8 octets)                                         |
///     +-------------------------------+-------------------------------+
///     | stream (4)                    | sequence number (4)           |
///     +-------------------------------+-------------------------------+
///     | send time, ns of the sender's monotonic clock (8)             |
///     +-------------------------------+-------------------------------+
///     | octets, header included (4)   | CRC-32C of all other octets (4)|
///     +-------------------------------+-------------------------------+
///     | filling, different in every packet ...

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "amt/result.hh"
#include "amt/time.hh"
#include "base/byte_reader.hh"
#include "media/sequence_tracker.hh"

namespace amt {

inline constexpr std::size_t kTestPacketHeaderOctets = 32;

struct TestPacket {
  /// Random: tells one run of a sender from another.
  std::uint32_t stream = 0;
  /// Wraps.
  std::uint32_t sequence = 0;
  Instant sent;
};

/// Fills all of `payload`, which has room for the header (asserted).
void write_test_packet(const TestPacket& packet, MutableBytes payload);

enum class TestPacketError : std::uint8_t { kNotATestPacket, kBadLength, kBadChecksum };
[[nodiscard]] Result<TestPacket, TestPacketError> parse_test_packet(Bytes payload);
/// The header alone, whatever the filling and the CRC: for who counts, and has no time to verify.
[[nodiscard]] std::optional<TestPacket> peek_test_packet(Bytes payload);

/// Counts what became of test packets. Bounded: streams beyond the limit displace the one that was silent longest,
/// whose counts stay.
class TestVerifier {
 public:
  /// What a person or program reads at the end. `received`: every intact packet, duplicates too; `bytes`: theirs.
  struct Counts {
    std::uint64_t received = 0;
    std::uint64_t lost = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;
    /// A test packet, but not as it was sent.
    std::uint64_t damaged = 0;
    /// No test packet: somebody else sends to the group, too.
    std::uint64_t foreign = 0;
    std::uint64_t bytes = 0;
  };

  void add(Bytes payload);
  [[nodiscard]] Counts counts() const;

 private:
  struct Stream {
    std::uint32_t id = 0;
    std::uint64_t last_packet = 0;
    SequenceTracker tracker{32};
  };
  Stream& find_stream(std::uint32_t id);

  std::vector<Stream> streams_;
  Counts counts_;
};

}  // namespace amt
