#include "forward/packet_mark.hh"

#include <algorithm>
#include <cstring>

#include "ip/datagram.hh"

namespace amt {
namespace {

// Of IPv4: the octets before are version, header length, DSCP and ECN.
constexpr std::size_t kIpv4LengthAt = 2;
constexpr std::size_t kIpv4HopLimitAt = 8;
constexpr std::size_t kIpv4ProtocolAt = 9;
constexpr std::size_t kIpv4AddressesAt = 12;
constexpr std::size_t kIpv6LengthAt = 4;
constexpr std::size_t kIpv6HopLimitAt = 7;
constexpr std::size_t kIpv6AddressesAt = 8;

constexpr std::size_t kWord = 8;
/// Behind the IP header: a UDP header and the 24 octets behind it, where RTP has its sequence number.
constexpr std::size_t kPayloadWords = 4;

class Mark {
 public:
  void add(Bytes octets) {
    std::uint64_t word = 0;
    std::memcpy(&word, octets.data(), std::min(octets.size(), kWord));
    const auto product = static_cast<Wide>(state_ ^ word) * kFactor;
    state_ = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  [[nodiscard]] std::uint64_t value() const { return state_; }

 private:
  __extension__ using Wide = unsigned __int128;
  /// 2^64 divided by the golden ratio: odd, no pattern in its bits.
  static constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15U;
  std::uint64_t state_ = 0xd1b54a32d192ed03U;
};

bool is_v4(Bytes datagram) { return std::to_integer<unsigned>(datagram[0]) >> 4 == 4; }

}  // namespace

std::uint64_t packet_mark(Bytes datagram) {
  Mark mark;
  std::size_t header = kIpv6HeaderOctets;
  if (is_v4(datagram)) {
    header = kIpv4HeaderOctets;
    mark.add(datagram.subspan(kIpv4LengthAt, kIpv4HopLimitAt - kIpv4LengthAt));
    mark.add(datagram.subspan(kIpv4ProtocolAt, 1));
    mark.add(datagram.subspan(kIpv4AddressesAt, kWord));
  } else {
    mark.add(datagram.subspan(kIpv6LengthAt, kIpv6HopLimitAt - kIpv6LengthAt));
    for (std::size_t at = kIpv6AddressesAt; at < header; at += kWord) mark.add(datagram.subspan(at, kWord));
  }
  Bytes rest = datagram.subspan(header);
  mark.add(rest.last(std::min(rest.size(), kWord)));
  for (std::size_t word = 0; word < kPayloadWords && !rest.empty(); ++word) {
    mark.add(rest);
    rest = rest.subspan(std::min(rest.size(), kWord));
  }
  return mark.value();
}

std::uint8_t hop_limit_of(Bytes datagram) {
  return std::to_integer<std::uint8_t>(datagram[is_v4(datagram) ? kIpv4HopLimitAt : kIpv6HopLimitAt]);
}

}  // namespace amt
