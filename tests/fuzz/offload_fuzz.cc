/// What a kernel or a guest leaves undone on captured packets: whatever the virtio header says, nothing is touched
/// outside the packet; a merged packet is cut into datagrams that are whole and hold the same octets, and what can be
/// merged is cut into the same again.
///
/// The first 10 octets are the virtio header, the rest is the packet.

#include <algorithm>
#include <vector>

#include "allocations.hh"
#include "fuzz_target.hh"
#include "io/offload.hh"
#include "io/udp_merge.hh"
#include "ip/udp.hh"
#include "mended_checksum.hh"

namespace amt {
namespace {

/// The list of the pieces grows; the arena's memory is there from the input before.
constexpr fuzz::ParserBound kCutBound{256 * 1024, 64};

bool same(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

void check_checksum(Bytes packet, const VirtioHeader& header) {
  std::vector<std::byte> copy(packet.begin(), packet.end());
  const std::size_t field = std::size_t{header.checksum_start} + header.checksum_offset;
  const bool done = finish_checksum(copy, header);
  AMT_ASSERT(!done || field + 2 <= packet.size());
  for (std::size_t i = 0; i < copy.size(); ++i) {
    AMT_ASSERT(copy[i] == packet[i] || (done && (i == field || i == field + 1)));
  }
}

/// The parts that a merged packet of `pieces` consists of, cut again.
void check_merge(const std::vector<CapturedDatagram>& pieces) {
  const std::vector<Bytes> datagrams = [&] {
    std::vector<Bytes> out;
    for (const CapturedDatagram& piece : pieces) out.push_back(piece.bytes);
    return out;
  }();
  const std::size_t count = mergeable(datagrams);
  AMT_ASSERT(count >= 1 && count <= std::min(datagrams.size(), kMergeMax));
  if (count < 2) return;
  const std::span<const Bytes> merging(datagrams.data(), count);
  const MergedHeader header = merged_header(merging);
  std::vector<std::byte> merged(header.octets.begin(),
                                header.octets.begin() + static_cast<std::ptrdiff_t>(header.size));
  for (const Bytes datagram : merging) {
    const Bytes payload = datagram.subspan(header.size);
    merged.insert(merged.end(), payload.begin(), payload.end());
  }
  static SegmentArena arena;
  arena.clear();
  std::vector<CapturedDatagram> again;
  AMT_ASSERT(cut_segments(merged, header.segment_octets, arena, again) && again.size() == count);
  for (std::size_t i = 0; i < count; ++i) {
    // With DF the identification means nothing (RFC 6864 §4.1), and cutting counts it up.
    const bool dont_fragment = (std::to_integer<unsigned>(datagrams[i][0]) >> 4) == 4 &&
                               (std::to_integer<unsigned>(datagrams[i][6]) & 0x40U) != 0;
    AMT_ASSERT(again[i].bytes.size() == datagrams[i].size());
    AMT_ASSERT(dont_fragment || same(again[i].bytes, datagrams[i]));
  }
}

void check_cut(Bytes packet, std::size_t segment_octets) {
  static SegmentArena arena;
  arena.clear();
  std::vector<CapturedDatagram> pieces;
  const bool cut =
      fuzz::within(kCutBound, packet.size(), [&] { return cut_segments(packet, segment_octets, arena, pieces); });
  AMT_ASSERT(cut || pieces.empty());
  if (!cut) return;
  AMT_ASSERT(!pieces.empty() && pieces.size() <= kCutSegmentsMax);
  const DatagramView whole = DatagramView::parse(packet).value();
  std::vector<std::byte> payload;
  for (const CapturedDatagram& piece : pieces) {
    const Result<DatagramView, IpError> view = DatagramView::parse(piece.bytes);
    AMT_ASSERT(view && view->bytes.size() == piece.bytes.size() && view->source == whole.source);
    const Result<UdpView, UdpError> udp = UdpView::parse(*view);
    // A sender that wants no checksum is not given one: IPv6 then refuses it as before.
    if (!udp) continue;
    AMT_ASSERT(udp->payload.size() <= segment_octets);
    payload.insert(payload.end(), udp->payload.begin(), udp->payload.end());
  }
  AMT_ASSERT(payload.empty() || same(payload, whole.payload.subspan(kUdpHeaderOctets)));
  check_merge(pieces);
}

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace amt;
  if (size < kVirtioHeaderOctets) return 0;
  const Bytes octets = fuzz::input(data, size);
  const VirtioHeader header = VirtioHeader::read(octets);
  const std::vector<std::byte> packet = fuzz::with_header_checksum(octets.subspan(kVirtioHeaderOctets));
  check_checksum(packet, header);
  // Small segments too: a packet of a few dozen octets is to be cut, as well.
  check_cut(packet, header.gso_octets);
  check_cut(packet, header.gso_octets % 16U);
  return 0;
}
