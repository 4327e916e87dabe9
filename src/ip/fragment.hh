#pragma once
/// Reassembly of inner IP fragments (RFC 791 §3.2, RFC 8200 §4.5), and cutting of IPv4 datagrams, both bounded.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "amt/time.hh"
#include "ip/datagram.hh"

namespace amt {

/// Rebuilds datagrams from their fragments. Not thread-safe. Bounds: `datagrams_max` at once (the oldest gives way),
/// 65,535 octets and as many pieces as an MTU of 68 makes of them each, `kTimeout` of patience. Costs a walk over the
/// datagrams under way. Overlapping fragments discard the whole datagram and its later fragments (RFC 5722); exact
/// repeats are ignored.
class Reassembler {
 public:
  static constexpr Duration kTimeout = std::chrono::seconds(30);

  explicit Reassembler(std::size_t datagrams_max = 64);
  ~Reassembler();
  Reassembler(Reassembler&&) noexcept;
  Reassembler& operator=(Reassembler&&) noexcept;

  /// Takes one fragment. When it completes its datagram: the whole datagram (header of the first fragment, lengths,
  /// flags, ECN field and checksum mended, IPv6 Fragment header taken out), valid until the next call. Else nothing. A
  /// datagram that is no fragment comes back as it is.
  std::optional<Bytes> add(Instant now, const DatagramView& fragment);

  /// Datagrams given up so far: timed out, overlapped, too long, of pieces that contradict each other, or pushed out.
  [[nodiscard]] std::uint64_t discarded() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Cuts one IPv4 datagram with DF=0 into fragments of at most `mtu_octets` each (X-4.6-a).
/// The datagram may be a fragment itself. Each element is one whole IP datagram; one alone when it fits as it is.
/// None when it cannot be cut: DF=1, IPv6, an end beyond 65,535 octets, or no room for 8 octets behind the header.
[[nodiscard]] std::vector<std::vector<std::byte>> fragment_ipv4(const DatagramView& datagram, std::size_t mtu_octets);

}  // namespace amt
