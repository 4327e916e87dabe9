#pragma once
/// Capture of multicast from a real interface: TPACKET_V2 with PACKET_VNET_HDR (docs/architecture.md, "One packet").

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ip/captured.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

struct PacketRingOptions {
  /// How many packets may wait: each takes a slot at least as large as the interface's MTU when the ring is opened.
  std::size_t octets = std::size_t{16} << 20;
  /// See `PacketRing::set_local_senders`.
  bool local_senders = false;
};

/// A ring that another process goes on with: how it is laid out, and where the reader stands.
struct PacketRingPlace {
  std::uint64_t slots = 0;
  std::uint64_t slot_octets = 0;
  /// The slot to read next.
  std::uint64_t next = 0;
};

/// A packet is here as soon as the kernel has it: version 2 of the ring, since version 3 hands over blocks, and one
/// that is not full only by a timer of 1 ms or more. A datagram that does not fit a slot (a merged packet of up to 64
/// KB, an MTU raised later) comes by the socket's queue, in its order. Packets that a sender on this machine left
/// merged (UDP_SEGMENT) reach a capture since Linux 6.2; an older kernel drops them, which `kernel_drops` shows.
///
/// Sees every datagram with a multicast destination above link scope that arrives on the interface, and on demand those
/// that this host sends out of it, each once, filtered in the kernel. Any link type. Needs CAP_NET_RAW. Not
/// thread-safe.
class PacketRing {
 public:
  static SysResult<PacketRing> open(const std::string& interface, const PacketRingOptions& options);
  /// One that `open` of another process made, and which that one reads no more: it goes on at `place`, so that no
  /// packet is lost and none comes twice. Error EINVAL: the ring is not laid out so.
  static SysResult<PacketRing> adopt(UniqueFd fd, const std::string& interface, const PacketRingPlace& place);
  /// Where another process shall go on. Everything has been released.
  [[nodiscard]] PacketRingPlace place() const;
  ~PacketRing();
  PacketRing(PacketRing&&) noexcept;
  PacketRing& operator=(PacketRing&&) noexcept;

  [[nodiscard]] int fd() const;
  /// Appends the ready datagrams to `out`, at most about `datagrams_max`. Unfinished checksums are finished, merged
  /// packets cut. A datagram that does not parse is dropped and counted. Returns how many were appended; 0: nothing
  /// there, or every slot waits for `release`.
  std::size_t receive(std::vector<CapturedDatagram>& out, std::size_t datagrams_max);
  /// Gives the slots back to the kernel; ends the life of all datagrams received so far.
  void release();
  /// Whether at least this many packets wait to be received.
  [[nodiscard]] bool has_waiting(std::size_t packets) const;

  /// Whether datagrams that this host sends are captured, too. The cost is a copy of the head of each packet that
  /// leaves by the interface, unicast as well: about 300 ns each. On loopback, where each sent datagram also arrives,
  /// it changes nothing.
  SysResult<void> set_local_senders(bool wanted);
  /// Whether this host sent any datagram that was received since the last call (not on loopback).
  [[nodiscard]] bool took_local();

  struct Statistics {
    std::uint64_t kernel_drops = 0;  ///< ring full, or no room for a datagram that does not fit a slot
    std::uint64_t malformed = 0;     ///< truncated, no IP, or merged and not UDP
    std::uint64_t segmented = 0;     ///< merged packets that were cut
  };
  [[nodiscard]] Statistics statistics();

 private:
  struct Impl;
  explicit PacketRing(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
