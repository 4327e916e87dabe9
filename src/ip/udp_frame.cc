#include "ip/udp_frame.hh"

#include <algorithm>
#include <cstring>

#include "base/assert.hh"

namespace amt {
namespace {

constexpr std::size_t kIpAt = kEthernetHeaderOctets;
constexpr std::size_t kUdpOctets = 8;
constexpr std::byte kDontFragment{0x40};

void put_u16(std::byte* at, std::uint16_t value) {
  at[0] = static_cast<std::byte>(value >> 8);
  at[1] = static_cast<std::byte>(value & 0xff);
}

/// Never 0: that would say that there is none.
std::uint32_t flow_label(const UdpFlow& flow) {
  const std::size_t mixed = (hash_value(flow.from) * 31 + hash_value(flow.to)) * 0x9e3779b97f4a7c15ULL;
  return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(mixed >> 44));
}

}  // namespace

std::uint16_t payload_sum(Bytes payload) { return static_cast<std::uint16_t>(~internet_checksum(payload)); }

UdpFrameHeader::UdpFrameHeader(const UdpFlow& flow) : v4_(flow.to.address.is_v4()) {
  AMT_ASSERT(flow.from.address.is_v4() == v4_);
  const auto ethernet = ethernet_header(flow.neighbour, flow.interface, ethertype_of(flow.to.address.family()));
  std::ranges::copy(ethernet, header_.begin());

  ByteWriter ip{MutableBytes(header_).subspan(kIpAt)};
  write_header(ip,
               {.source = flow.from.address,
                .destination = flow.to.address,
                .protocol = kProtocolUdp,
                .hop_limit = flow.hop_limit},
               0);
  const std::size_t ip_octets = ip.output().size();
  octets_ = kIpAt + ip_octets + kUdpOctets;
  std::byte* const header = header_.data() + kIpAt;
  if (v4_) {
    header[6] |= kDontFragment;
    put_u16(header + 2, 0);
    put_u16(header + 10, 0);
    ip_.add(Bytes(header, ip_octets));
  } else {
    const std::uint32_t label = flow_label(flow);
    header[1] |= static_cast<std::byte>(label >> 16);
    put_u16(header + 2, static_cast<std::uint16_t>(label & 0xffff));
  }
  put_u16(header + ip_octets, flow.from.port);
  put_u16(header + ip_octets + 2, flow.to.port);
  udp_.add_pseudo_header(flow.from.address, flow.to.address, kProtocolUdp, 0);
  udp_.add_u16(flow.from.port);
  udp_.add_u16(flow.to.port);
}

void UdpFrameHeader::write(MutableBytes frame, std::size_t payload_octets, std::uint16_t sum, Ecn ecn) const {
  AMT_ASSERT(frame.size() >= kOctetsMax && datagram_octets(payload_octets) <= UINT16_MAX);
  // All of it: a length that the compiler knows is copied faster, and the payload comes after.
  std::memcpy(frame.data(), header_.data(), header_.size());
  const auto udp_octets = static_cast<std::uint16_t>(kUdpOctets + payload_octets);
  std::byte* const ip = frame.data() + kIpAt;
  if (v4_) {
    const auto total = static_cast<std::uint16_t>(datagram_octets(payload_octets));
    ip[1] |= static_cast<std::byte>(ecn);
    put_u16(ip + 2, total);
    InternetChecksum checksum = ip_;
    checksum.add_u16(total);
    checksum.add_u16(static_cast<std::uint16_t>(ecn));
    put_u16(ip + 10, checksum.value());
  } else {
    ip[1] |= static_cast<std::byte>(static_cast<unsigned>(ecn) << 4);
    put_u16(ip + 4, udp_octets);
  }
  std::byte* const udp = frame.data() + octets_ - kUdpOctets;
  put_u16(udp + 4, udp_octets);
  InternetChecksum checksum = udp_;
  checksum.add_u16(udp_octets);  // of the pseudo-header
  checksum.add_u16(udp_octets);
  checksum.add_u16(sum);
  // RFC 768: "If the computed checksum is zero, it is transmitted as all ones".
  const std::uint16_t value = checksum.value();
  put_u16(udp + 6, value == 0 ? UINT16_MAX : value);
}

void UdpFrameHeader::write_template(MutableBytes octets) const {
  AMT_ASSERT(octets.size() >= kOctetsMax);
  std::memcpy(octets.data(), header_.data(), header_.size());
  const auto sum_of = [](const InternetChecksum& checksum) { return static_cast<std::uint16_t>(~checksum.value()); };
  if (v4_) put_u16(octets.data() + kIpAt + 10, sum_of(ip_));
  put_u16(octets.data() + octets_ - kUdpOctets + 6, sum_of(udp_));
}

}  // namespace amt
