#pragma once
/// Capture of multicast from a real interface: TPACKET_V3 with PACKET_VNET_HDR (DESIGN, "Data plane").

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/captured.hh"
#include "sys/error.hh"

namespace amt {

struct PacketRingOptions {
  /// A power of two; a block must hold a merged packet of 64 KB. At light load a block comes back with few packets in
  /// it every `retire_milliseconds`, so many blocks are what bridges a pause of the reader.
  std::size_t block_octets = 1 << 17;
  std::size_t blocks = 128;
  unsigned retire_milliseconds = 1;
};

/// Packets that a sender on this machine left merged (UDP_SEGMENT) reach a capture since Linux 6.2; an older kernel
/// drops them, which `kernel_drops` shows.
///
/// Sees every datagram with a multicast destination above link scope that *arrives* on the interface (not what this
/// host sends, except on loopback), filtered in the kernel. Any link type. Needs CAP_NET_RAW. Not thread-safe.
class PacketRing {
 public:
  static SysResult<PacketRing> open(const std::string& interface, const PacketRingOptions& options);
  ~PacketRing();
  PacketRing(PacketRing&&) noexcept;
  PacketRing& operator=(PacketRing&&) noexcept;

  [[nodiscard]] int fd() const;
  /// Appends what is ready to `out`, at most about `datagrams_max`. Unfinished checksums are finished, merged packets
  /// cut. What does not parse is dropped and counted. How many were appended; 0: nothing there, or every block waits
  /// for `release`.
  std::size_t receive(std::vector<CapturedDatagram>& out, std::size_t datagrams_max);
  /// Gives the blocks that were received whole back to the kernel; ends the life of all datagrams received so far.
  void release();

  struct Statistics {
    std::uint64_t kernel_drops = 0;  ///< ring full
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
