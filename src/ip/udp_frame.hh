#pragma once
/// A UDP datagram in an Ethernet frame, as this host's kernel would send it from a socket that forbids fragments.

#include <array>
#include <cstdint>

#include "amt/endpoint.hh"
#include "ip/checksum.hh"
#include "ip/datagram.hh"
#include "ip/ethernet.hh"

namespace amt {

/// The fields that all frames of one flow to one neighbour share.
struct UdpFlow {
  MacAddress neighbour{};
  MacAddress interface {};
  Endpoint from;  ///< of one family with `to`
  Endpoint to;
  std::uint8_t hop_limit = 64;
};

/// The one's-complement sum of a payload: reckoned once, good for every gateway's copy.
[[nodiscard]] std::uint16_t payload_sum(Bytes payload);

/// Ethernet, IP and UDP header of a flow, ready but for lengths, ECN and checksums.
/// IPv4: DF=1, Identification 0 (RFC 6864 §4.1: an atomic datagram needs none); IPv6: a Flow Label made of the flow
/// (RFC 6437 §3). DSCP 0. UDP always has its checksum.
class UdpFrameHeader {
 public:
  static constexpr std::size_t kOctetsMax = kEthernetHeaderOctets + 40 + 8;

  UdpFrameHeader() = default;
  explicit UdpFrameHeader(const UdpFlow& flow);

  /// Of the three headers.
  [[nodiscard]] std::size_t octets() const { return octets_; }
  /// Of the IP datagram, for the MTU.
  [[nodiscard]] std::size_t datagram_octets(std::size_t payload_octets) const {
    return octets_ - kEthernetHeaderOctets + payload_octets;
  }
  /// Into the first `octets()` of `frame`, which has room for `kOctetsMax`, before a payload of that length and sum.
  void write(MutableBytes frame, std::size_t payload_octets, std::uint16_t sum, Ecn ecn) const;
  /// For a writer that adds lengths, ECN and payload itself: each checksum field holds the sum of the fields that are
  /// there already. Into the first `kOctetsMax` of `octets`.
  void write_template(MutableBytes octets) const;

 private:
  std::array<std::byte, kOctetsMax> header_{};
  std::size_t octets_ = 0;
  bool v4_ = true;
  /// Over the fields that are equal in each datagram.
  InternetChecksum ip_;
  InternetChecksum udp_;
};

}  // namespace amt
