#pragma once
/// From UDP payloads, however they are cut, to whole MPEG-TS packets.

#include <cstdint>
#include <functional>
#include <vector>

#include "base/byte_reader.hh"
#include "media/transport_stream.hh"

namespace amt {

/// Pure. A payload of whole packets passes without a copy. Octets between packets of other payloads are left out and
/// counted; a packet that two payloads share is put together.
class TsAligner {
 public:
  /// Whole packets, one or more; valid during the call.
  using Handler = std::function<void(Bytes packets)>;
  explicit TsAligner(Handler on_packets) : on_packets_(std::move(on_packets)) {}

  void add(Bytes payload);
  [[nodiscard]] std::uint64_t discarded_octets() const { return discarded_octets_; }

 private:
  /// Sync octets in a row, one packet apart, that make a start: video holds single ones by chance.
  static constexpr std::size_t kSyncsWanted = 3;
  /// The octets that may wait for their end: enough to see `kSyncsWanted`.
  static constexpr std::size_t kWaitingOctetsMax = kSyncsWanted * kTsPacketOctets;

  [[nodiscard]] std::size_t whole_packets_at(std::size_t offset) const;
  [[nodiscard]] bool starts_at(std::size_t offset) const;
  [[nodiscard]] bool may_start_at(std::size_t offset) const;

  Handler on_packets_;
  std::vector<std::byte> waiting_;
  bool is_in_sync_ = false;
  std::uint64_t discarded_octets_ = 0;
};

}  // namespace amt
