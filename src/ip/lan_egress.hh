#pragma once
/// The changes that a router makes to a datagram before it puts it on a LAN.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ip/datagram.hh"
#include "ip/split_datagram.hh"

namespace amt {

/// Decides, never sends. Not thread-safe. Where the gateway is the router between the tunnel and the LAN, TTL or Hop
/// Limit is lowered by one; a bridge port hands them on as they came, as the kernel's driver does. Link-scope groups
/// stay out. A datagram larger than the LAN's MTU is fragmented where that is allowed (IPv4 with DF=0). Otherwise it is
/// dropped and counted. No ICMP error is sent: the gateway knows the source through the tunnel only, and the relay
/// reports narrow paths to sources.
class LanEgress {
 public:
  /// Datagrams that went no further.
  struct Drops {
    std::uint64_t hop_limit = 0;   ///< 0 or 1 on arrival, where it is lowered
    std::uint64_t link_scope = 0;  ///< or not multicast at all
    std::uint64_t too_big = 0;

    /// See base/state_record.hh.
    template <typename Io, typename Self>
    static void fields(Io& io, Self& self) {
      io(self.hop_limit, self.link_scope, self.too_big);
    }
  };

  explicit LanEgress(bool lowers_hop_limit) : lowers_hop_limit_(lowers_hop_limit) {}

  /// `datagrams`: whole IP datagrams of exactly their own length. The result is valid until the next call, and as long
  /// as `datagrams` are.
  std::span<const SplitDatagram> prepare(std::span<const Bytes> datagrams, std::size_t mtu_octets);
  [[nodiscard]] const Drops& drops() const { return drops_; }
  /// Those of another process, which this one goes on counting from.
  void set_drops(const Drops& before) { drops_ = before; }

 private:
  using Head = std::array<std::byte, kIpv6HeaderOctets>;

  void prepare_one(Bytes datagram, Head& storage, std::size_t mtu_octets);

  bool lowers_hop_limit_;
  std::vector<Head> heads_;
  std::vector<std::vector<std::byte>> pieces_;
  std::vector<SplitDatagram> prepared_;
  Drops drops_;
};

}  // namespace amt
