#pragma once
/// From the datagrams of an RTP stream to payloads without RTP headers, in order, for a pipe or a file.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "amt/time.hh"
#include "base/byte_reader.hh"
#include "media/rtp_packet.hh"
#include "media/sequence_tracker.hh"

namespace amt {

/// Takes off RTP headers and puts packets in order by their sequence numbers. A packet that comes before its
/// predecessor waits for it, `kWindow` at most. A datagram that is no RTP goes through as it is. Pure; it knows one
/// stream, that of the last synchronization source: another one begins again.
///
/// A packet in order costs no allocation and no copy; one that waits costs both.
class RtpUnwrapper {
 public:
  enum class Mode : std::uint8_t {
    kTransportStreams,  ///< only MPEG-TS in RTP; other RTP goes through as it is, unless a transport stream is running
    kAll,
  };
  /// How long a gap is waited for: several times the difference of two paths, less than the buffer of players.
  static constexpr Duration kWindow = std::chrono::milliseconds(100);
  /// Packets that wait at most: 100 ms of 400 Mbit/s, in 6 MB. When it is full, the gap is given up.
  static constexpr std::size_t kHeldMax = 4096;

  /// From the gap that is waited for to the last that waits: with a step of `kRtpDropoutMax` more, less than half the
  /// number space, so that later and earlier numbers are distinguished.
  static constexpr std::size_t kSpanMax = 16'384;

  explicit RtpUnwrapper(Mode mode) : mode_(mode) {}

  /// Missing packets may be repaired: a gap is waited for until `packets` later ones were sent (at most `kSpanMax`),
  /// and for `window` at most, in place of `kWindow`.
  void wait_for_repair(Duration window, std::size_t packets);

  /// Takes a batch of datagrams in order of arrival. Returns the payloads to be written now, in order; valid until the
  /// next call, and as long as `datagrams` are.
  std::span<const Bytes> handle_datagrams(Instant now, std::span<const Bytes> datagrams);
  /// The same for packets that waited long enough.
  std::span<const Bytes> handle_timeout(Instant now);
  /// The stream is over: all that waits, in order.
  std::span<const Bytes> finish();
  [[nodiscard]] Instant next_deadline() const;

  struct Counts {
    std::uint64_t late = 0;        ///< came after its gap was given up, and was left out
    std::uint64_t duplicates = 0;  ///< came before, and was left out
    std::uint64_t other = 0;       ///< no media, in a transport stream that is running: left out
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct Arrival {
    std::int64_t number = 0;
    Instant at;
  };

  void begin_batch();
  void add(Instant now, Bytes datagram);
  void add_in_stream(Instant now, const RtpPacketView& packet, Bytes payload);
  void restart(const RtpPacketView& packet);
  [[nodiscard]] bool is_of_the_run(std::uint16_t sequence) const;
  void release_until_gap();
  void skip_gap();

  Mode mode_;
  Duration window_ = kWindow;
  std::int64_t span_max_ = kSpanMax;
  std::optional<std::uint32_t> source_;
  /// The next number, counted on past the wire's 16 bits.
  std::int64_t expected_ = 0;
  SequenceTracker seen_{16};
  /// Payloads that wait, by number.
  std::map<std::int64_t, std::vector<std::byte>> held_;
  /// Of the waiting packets, in order of arrival; its front still waits.
  std::deque<Arrival> arrivals_;
  /// Of the batch: the payloads to be written, and the storage of packets that had waited.
  std::vector<Bytes> ready_;
  std::vector<std::vector<std::byte>> released_;
  Counts counts_;
};

}  // namespace amt
