/// Reassembly: a stream of fragments, in any order and with any lie about their place, costs bounded memory and gives
/// datagrams that parse; honest fragments in any order give the datagram that was cut.
///
/// First octet 0: operations of 6 octets, each one fragment (flags, identification, offset, length, delay).
/// 1: an MTU, an order and a payload that is cut and put together again. Else the input is datagrams, one after
/// another.

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "allocations.hh"
#include "fuzz_target.hh"
#include "ip/checksum.hh"
#include "ip/extension_headers.hh"
#include "ip/fragment.hh"

namespace amt {
namespace {

constexpr std::size_t kOperationsMax = 64;
constexpr std::size_t kDatagramsMax = 4;
/// Each datagram under way, and the last that was completed, has at most 64 KiB of payload, doubled by a vector's
/// growth, and its pieces and header; one more is copied while a vector grows.
constexpr std::size_t kReassemblerOctetsMax = (kDatagramsMax + 2) * std::size_t{192} * 1024;

HeaderFields fields(bool v4, std::uint16_t identification) {
  HeaderFields header;
  header.source = v4 ? IpAddress::from_v4(0xc0000201) : IpAddress::parse("2001:db8::1").value();
  header.destination = v4 ? IpAddress::from_v4(0xe8010203) : IpAddress::parse("ff3e::8000:d").value();
  header.protocol = v4 ? kProtocolUdp : kNextHeaderFragment;
  header.identification = identification;
  return header;
}

/// One fragment as it would stand on the wire.
std::vector<std::byte> make_fragment(bool v4, std::uint16_t identification, std::uint16_t offset, bool more,
                                     std::size_t payload_octets, std::uint8_t traffic_class) {
  HeaderFields header = fields(v4, identification);
  header.traffic_class = traffic_class;
  const std::size_t after_header = payload_octets + (v4 ? 0 : kFragmentHeaderOctets);
  std::vector<std::byte> octets(header_octets(header) + after_header, static_cast<std::byte>(offset & 0xff));
  ByteWriter out(octets);
  write_header(out, header, after_header);
  if (v4) {
    const MutableBytes all(octets);
    ByteWriter(all.subspan(6)).u16(static_cast<std::uint16_t>((offset & 0x1fff) | (more ? 0x2000 : 0)));
    ByteWriter(all.subspan(10)).u16(0);
    ByteWriter(all.subspan(10)).u16(internet_checksum(all.first(kIpv4HeaderOctets)));
  } else {
    out.u8(kProtocolUdp);
    out.u8(0);
    out.u16(static_cast<std::uint16_t>((offset & 0x1fff) << 3 | (more ? 1 : 0)));
    out.u32(identification);
  }
  return octets;
}

void check_whole(Bytes whole) {
  const Result<DatagramView, IpError> view = DatagramView::parse(whole);
  AMT_ASSERT(view && view->bytes.size() == whole.size() && !view->is_fragment() && view->protocol == kProtocolUdp);
}

void run_operations(ByteReader in) {
  const fuzz::Allocations memory;
  Reassembler reassembler(kDatagramsMax);
  Instant now{};
  std::uint64_t discarded = 0;
  for (std::size_t i = 0; i < kOperationsMax && in.has(6); ++i) {
    const std::uint8_t flags = in.u8();
    const std::uint8_t identification = in.u8();
    const std::uint16_t offset = in.u16();
    const std::uint8_t length = in.u8();
    const std::uint8_t delay = in.u8();
    // Mostly whole units of 8, else nothing would ever fit.
    const std::size_t payload_octets = (flags & 4) != 0 ? length : std::size_t{length} * 8;
    const bool v4 = (flags & 1) != 0;
    const bool more = (flags & 2) != 0;
    // Near the start or anywhere.
    const std::uint16_t place = (flags & 8) != 0 ? offset : static_cast<std::uint16_t>(offset & 0x1f);
    now += std::chrono::milliseconds(delay) * ((flags & 0x20) != 0 ? 200 : 1);
    const std::vector<std::byte> octets =
        make_fragment(v4, identification & 7, place, more, payload_octets, static_cast<std::uint8_t>(flags >> 6));
    const Result<DatagramView, IpError> fragment = DatagramView::parse(octets);
    AMT_ASSERT(fragment.has_value());
    if (const std::optional<Bytes> whole = reassembler.add(now, *fragment)) check_whole(*whole);
    AMT_ASSERT(reassembler.discarded() >= discarded && reassembler.discarded() <= i + 1);
    discarded = reassembler.discarded();
    AMT_ASSERT(memory.held() <= kReassemblerOctetsMax);
  }
}

void run_round_trip(ByteReader in) {
  const std::size_t mtu = 68 + std::size_t{fuzz::next_u8(in)};
  const Bytes order_seed = fuzz::next_bytes(in, 16);
  const Bytes payload = in.rest().first(std::min<std::size_t>(in.remaining(), 65515));
  std::vector<std::byte> whole(kIpv4HeaderOctets + payload.size());
  ByteWriter out(whole);
  write_header(out, fields(true, 7), payload.size());
  out.bytes(payload);

  const std::vector<std::vector<std::byte>> fragments = fragment_ipv4(DatagramView::parse(whole).value(), mtu);
  AMT_ASSERT(!fragments.empty());
  std::vector<std::size_t> order(fragments.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 0; i < order_seed.size(); ++i) {
    const std::size_t other = std::to_integer<std::size_t>(order_seed[i]) % order.size();
    std::swap(order[i % order.size()], order[other]);
  }
  Reassembler reassembler;
  std::optional<Bytes> got;
  for (const std::size_t i : order) {
    AMT_ASSERT(!got);
    got = reassembler.add(Instant{}, DatagramView::parse(fragments[i]).value());
  }
  AMT_ASSERT(got && std::equal(got->begin(), got->end(), whole.begin(), whole.end()));
  AMT_ASSERT(reassembler.discarded() == 0);
}

/// Whatever datagrams stand one after another in the input, as a tunnel would bring them.
void run_datagrams(Bytes octets) {
  Reassembler reassembler(kDatagramsMax);
  for (std::size_t i = 0; i < kOperationsMax && !octets.empty(); ++i) {
    const Result<DatagramView, IpError> view = DatagramView::parse(octets);
    if (!view) return;
    const std::optional<Bytes> whole = reassembler.add(Instant{}, *view);
    // Headers behind an IPv6 Fragment header have not been looked at; they may yet turn out to be nonsense.
    if (whole && view->family() == Family::kIpv4)
      AMT_ASSERT(DatagramView::parse(*whole)->bytes.size() == whole->size());
    octets = octets.subspan(view->bytes.size());
  }
}

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  amt::ByteReader in(amt::fuzz::input(data, size));
  switch (amt::fuzz::next_u8(in)) {
    case 0x00:
      amt::run_operations(in);
      break;
    case 0x01:
      amt::run_round_trip(in);
      break;
    default:
      amt::run_datagrams(amt::fuzz::input(data, size));
      break;
  }
  return 0;
}
