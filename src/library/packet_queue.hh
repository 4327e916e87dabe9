#pragma once
/// Payloads that wait for their reader, in order, in one piece of memory that grows as needed and is kept.

#include <cstddef>
#include <optional>
#include <vector>

#include "amt/time.hh"
#include "client/payload_reader.hh"

namespace amt {

/// Not thread-safe. No allocation for a packet once it has held as much before.
class PacketQueue {
 public:
  /// `octets_max`: of payload that waits.
  explicit PacketQueue(std::size_t octets_max) : octets_max_(octets_max) {}

  struct Packet {
    Bytes payload;
    Endpoint source;
    Endpoint destination;
    Instant arrival;
  };

  /// Copies. False: it does not fit.
  [[nodiscard]] bool push(Instant arrival, const Payload& payload);
  /// The next one; its octets are good until the next `push` or `clear`.
  [[nodiscard]] std::optional<Packet> pop();
  void clear();

 private:
  struct Entry {
    std::size_t at = 0;
    std::size_t octets = 0;
    Endpoint source;
    Endpoint destination;
    Instant arrival;
  };

  std::size_t octets_max_;
  std::vector<std::byte> octets_;
  std::vector<Entry> entries_;
  /// The number of `entries_` that have been read.
  std::size_t read_ = 0;
};

}  // namespace amt
