#pragma once
/// From the datagrams of a group to a stream: without RTP headers, in order, with repair where the source sends it.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "media/rtp_repair.hh"
#include "media/rtp_unwrapper.hh"

namespace amt {

/// Pure. Packets that come in order cost no copy, until the first repair packet; then one each.
class RtpReception {
 public:
  /// How long a gap is waited for where it may be repaired, if the stream is so slow that this is less than the time of
  /// two matrices. 10 x 10 packets of 8 Mbit/s take 0.13 s.
  static constexpr Duration kRepairWindow = std::chrono::seconds(2);

  struct Datagram {
    std::uint16_t port = 0;  ///< of its destination
    Bytes octets{};
  };

  /// `port`: of the media; columns come two above it, rows four (SMPTE ST 2022-1 §7). None: all that comes is media.
  RtpReception(RtpUnwrapper::Mode mode, std::optional<std::uint16_t> port) : unwrapper_(mode), port_(port) {}

  /// Is that a port of the media, or of its repair?
  [[nodiscard]] bool takes(std::uint16_t port) const { return is_media_port(port) || is_repair_port(port); }
  /// Takes a batch in order of arrival; other ports are left out. Result, and how long it is valid: as of
  /// `RtpUnwrapper`.
  std::span<const Bytes> handle_datagrams(Instant now, std::span<const Datagram> datagrams);
  std::span<const Bytes> handle_timeout(Instant now) { return unwrapper_.handle_timeout(now); }
  std::span<const Bytes> finish() { return unwrapper_.finish(); }
  [[nodiscard]] Instant next_deadline() const { return unwrapper_.next_deadline(); }

  [[nodiscard]] const RtpUnwrapper::Counts& counts() const { return unwrapper_.counts(); }
  /// Packets that were lost, and made anew.
  [[nodiscard]] std::uint64_t repaired() const { return repair_ ? repair_->made() : 0; }
  /// Repair packets have come.
  [[nodiscard]] bool has_repair() const { return repair_.has_value(); }

 private:
  [[nodiscard]] bool is_media_port(std::uint16_t port) const { return !port_ || port == *port_; }
  [[nodiscard]] bool is_repair_port(std::uint16_t port) const {
    constexpr int kColumns = 2;
    constexpr int kRows = 4;
    return port_ && (port == *port_ + kColumns || port == *port_ + kRows);
  }
  void add_repair(Bytes datagram);

  RtpUnwrapper unwrapper_;
  std::optional<std::uint16_t> port_;
  std::optional<RtpRepair> repair_;
  std::size_t matrix_ = 0;
  std::vector<Bytes> payloads_;
};

}  // namespace amt
