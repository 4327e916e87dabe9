#pragma once
/// The report of `amt receive`.

#include <cstdint>
#include <optional>
#include <string>

#include "engine/gateway/receiver.hh"
#include "media/stream_meter.hh"
#include "media/test_pattern.hh"

namespace amt {

class ReceiveReport {
 public:
  /// `verify`: the payloads are test packets (`amt send`).
  explicit ReceiveReport(bool verify) : verify_(verify) {}

  void add(Instant now, Bytes payload);

  /// UDP payloads, and their octets.
  [[nodiscard]] std::uint64_t packets() const { return packets_; }

  /// Further parts of the final report.
  struct Surroundings {
    /// Where there are several.
    std::optional<std::string> channel;
    Instant started{};
    Instant ended{};
    PayloadDrops drops;
    std::uint64_t output_dropped = 0;
    /// RTP packets that could not be put in order any more.
    std::uint64_t late = 0;
    /// RTP packets that were lost, and made anew by the source's repair packets.
    std::uint64_t repaired = 0;
    std::optional<Endpoint> relay;
    std::optional<Receiver::Native> native = {};
  };
  /// Nothing lost, nothing damaged.
  [[nodiscard]] bool is_faultless(const PayloadDrops& drops) const;
  /// Nothing that a person would want to know: no loss of any kind, no pause.
  [[nodiscard]] bool is_smooth(const Surroundings& surroundings) const;
  /// One line for a terminal; the rate since the last call, at first since the first packet.
  [[nodiscard]] std::string live_line(Instant now);
  [[nodiscard]] std::string text(const Surroundings& surroundings) const;
  /// INTERFACE: numbers `received`, `lost`, `duplicated`, `reordered`, `damaged`, `bytes`, and more. One line.
  [[nodiscard]] std::string json(const Surroundings& surroundings) const;

 private:
  void note_gap(Duration gap);
  [[nodiscard]] TestVerifier::Counts counts(const PayloadDrops& drops) const;
  void count_stream(TestVerifier::Counts& counts) const;
  [[nodiscard]] std::string_view stream_name() const;
  [[nodiscard]] std::string losses(const TestVerifier::Counts& counts) const;

  bool verify_;
  std::uint64_t packets_ = 0;
  std::uint64_t octets_ = 0;
  Instant first_{};
  Instant last_{};
  std::uint64_t pauses_ = 0;
  Duration paused_{};
  StreamMeter meter_;
  TestVerifier verifier_;
  std::optional<Instant> live_at_;
  std::uint64_t live_octets_ = 0;
};

}  // namespace amt
