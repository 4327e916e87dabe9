/// IP and UDP: any octets are parsed without harm; what was parsed agrees with the quick look, survives editing, and is
/// written and parsed to the same.

#include <algorithm>
#include <vector>

#include "allocations.hh"
#include "fuzz_target.hh"
#include "ip/address.hh"
#include "ip/fragment.hh"
#include "ip/udp.hh"
#include "mended_checksum.hh"

namespace amt {
namespace {

/// Datagrams are parsed where they stand.
constexpr fuzz::ParserBound kParseBound{0, 0};
/// Pieces of 8 octets, the least, have up to 60 octets of header each, and a vector.
constexpr fuzz::ParserBound kCutBound{1024, 24};

bool same(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

bool inside(Bytes inner, Bytes outer) {
  return inner.data() >= outer.data() && inner.data() + inner.size() <= outer.data() + outer.size();
}

void check_peek(Bytes octets, const Result<DatagramView, IpError>& view) {
  const Result<DatagramAddresses, IpError> addresses = peek_addresses(octets);
  if (!view) return;
  AMT_ASSERT(addresses && addresses->source == view->source && addresses->destination == view->destination);
  AMT_ASSERT(addresses->octets == view->bytes.size() && view->bytes.size() <= octets.size());
  AMT_ASSERT(view->bytes.data() == octets.data() && inside(view->payload, view->bytes));
}

/// The header written anew from what was read, over the same payload.
void check_write(const DatagramView& view) {
  HeaderFields fields;
  fields.source = view.source;
  fields.destination = view.destination;
  fields.protocol = view.protocol;
  fields.traffic_class = view.traffic_class;
  fields.hop_limit = view.hop_limit;
  fields.router_alert = view.router_alert;
  fields.identification = static_cast<std::uint16_t>(view.identification & 0xffff);
  if (header_octets(fields) + view.payload.size() > 65535) return;
  // A piece that announces another extension header is not read again as the same payload.
  for (const int extension : {0, 43, 44, 60}) {
    if (view.family() == Family::kIpv6 && view.protocol == extension) return;
  }
  std::vector<std::byte> buffer(header_octets(fields) + view.payload.size());
  ByteWriter out(buffer);
  write_header(out, fields, view.payload.size());
  out.bytes(view.payload);
  const Result<DatagramView, IpError> again = DatagramView::parse(buffer);
  AMT_ASSERT(again && again->source == view.source && again->destination == view.destination);
  AMT_ASSERT(again->protocol == view.protocol && again->traffic_class == view.traffic_class);
  AMT_ASSERT(again->hop_limit == view.hop_limit && again->router_alert == view.router_alert);
  AMT_ASSERT(same(again->payload, view.payload));
}

void check_edit(const DatagramView& view) {
  std::vector<std::byte> copy(view.bytes.begin(), view.bytes.end());
  const bool forwarded = decrement_hop_limit(copy);
  AMT_ASSERT(forwarded == (view.hop_limit > 1));
  set_ecn(copy, Ecn::kCe);
  const Result<DatagramView, IpError> edited = DatagramView::parse(copy);
  AMT_ASSERT(edited && edited->hop_limit == view.hop_limit - (forwarded ? 1 : 0));
  AMT_ASSERT(edited->ecn() == Ecn::kCe && (edited->traffic_class & 0xfc) == (view.traffic_class & 0xfc));
  AMT_ASSERT(same(edited->payload, view.payload));
}

void check_udp(const DatagramView& view) {
  const Result<UdpView, UdpError> udp =
      fuzz::within(kParseBound, view.bytes.size(), [&] { return UdpView::parse(view); });
  const bool transport_ok = transport_checksum_ok(view);
  if (!udp) return;
  AMT_ASSERT(transport_ok && inside(udp->payload, view.payload));
  HeaderFields fields;
  fields.source = view.source;
  fields.destination = view.destination;
  std::vector<std::byte> buffer(header_octets(fields) + kUdpHeaderOctets + udp->payload.size());
  const std::size_t octets = write_udp_datagram(buffer, fields, udp->source_port, udp->destination_port, udp->payload);
  AMT_ASSERT(octets == buffer.size());
  const Result<DatagramView, IpError> datagram = DatagramView::parse(buffer);
  AMT_ASSERT(datagram.has_value());
  const Result<UdpView, UdpError> again = UdpView::parse(*datagram);
  AMT_ASSERT(again && again->source_port == udp->source_port && again->destination_port == udp->destination_port);
  AMT_ASSERT(same(again->payload, udp->payload));
}

/// Pieces that fit, that are datagrams themselves, and whose payloads put together are the payload.
void check_cut(const DatagramView& view, std::size_t mtu) {
  std::vector<std::byte> payload;
  const std::vector<std::vector<std::byte>> fragments =
      fuzz::within(kCutBound, view.bytes.size(), [&] { return fragment_ipv4(view, mtu); });
  if (fragments.empty()) return;
  for (const std::vector<std::byte>& fragment : fragments) {
    AMT_ASSERT(fragment.size() <= mtu);
    const Result<DatagramView, IpError> piece = DatagramView::parse(fragment);
    AMT_ASSERT(piece && piece->bytes.size() == fragment.size());
    AMT_ASSERT(piece->fragment_offset == view.fragment_offset + payload.size());
    payload.insert(payload.end(), piece->payload.begin(), piece->payload.end());
  }
  AMT_ASSERT(same(payload, view.payload));
}

void check(Bytes octets, std::size_t mtu) {
  const Result<DatagramView, IpError> view =
      fuzz::within(kParseBound, octets.size(), [&] { return DatagramView::parse(octets); });
  check_peek(octets, view);
  if (!view) return;
  check_write(*view);
  check_edit(*view);
  check_udp(*view);
  check_cut(*view, mtu);
  if (is_forwardable_group(view->destination)) AMT_ASSERT(view->destination.is_multicast());
}

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const amt::Bytes octets = amt::fuzz::input(data, size);
  // The last octet of the input also chooses the MTU, so that the seeds are datagrams as they stand on the wire.
  const std::size_t mtu = 20 + (octets.empty() ? 0U : std::to_integer<std::size_t>(octets.back()));
  amt::check(octets, mtu);
  amt::check(amt::fuzz::with_header_checksum(octets), mtu);
  return 0;
}
