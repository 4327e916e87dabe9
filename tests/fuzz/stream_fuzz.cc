/// What `amt serve` reads of a stream: UDP payloads of any kind, packets whose tables have right CRCs, and what comes
/// out of it for viewers and HLS.
///
/// The input is operations, each an octet with its kind and what it takes: a datagram as it stands, a transport packet
/// of which the input says the start, a section that is given its length and its CRC, or time that passes.

#include <algorithm>
#include <vector>

#include "fuzz_target.hh"
#include "stream/hls_segmenter.hh"
#include "stream/test_stream.hh"

namespace amt {
namespace {

constexpr std::size_t kRingOctets = 64 * kTsPacketOctets;
constexpr int kOperationsMax = 128;

/// A packet of one of few PIDs, so that tables and streams meet.
void add_packet(LiveStream& stream, Instant now, ByteReader& in) {
  const Bytes start = fuzz::next_bytes(in, 24);
  std::vector<std::byte> packet(kTsPacketOctets, std::byte{0xff});
  packet[0] = kTsSync;
  std::copy(start.begin(), start.end(), packet.begin() + 1);
  packet[1] &= std::byte{0x61};
  packet[2] &= std::byte{0x13};
  stream.add(now, packet);
}

void add_section(LiveStream& stream, Instant now, ByteReader& in) {
  const std::uint8_t which = fuzz::next_u8(in);
  constexpr int kPids[] = {0, 0x11, 0x100, 0x101};
  const Bytes content = fuzz::next_bytes(in, 3U + which % 128U);
  test::Octets section(content.begin(), content.end());
  section.resize(std::max<std::size_t>(section.size(), 8));
  stream.add(now, test::table_packet(kPids[which >> 6], which, test::section(std::move(section))));
}

void run(ByteReader in) {
  LiveStream stream(kRingOctets);
  HlsSegmenter hls;
  Instant now = Instant{} + std::chrono::hours(1);
  for (int i = 0; i < kOperationsMax && in.has(1); ++i) {
    const std::uint8_t operation = in.u8();
    switch (operation & 3U) {
      case 0:
        stream.add(now, fuzz::next_bytes(in, operation >> 2U));
        break;
      case 1:
        add_packet(stream, now, in);
        break;
      case 2:
        add_section(stream, now, in);
        break;
      default:
        now += std::chrono::milliseconds(50) * (operation >> 2U);
        break;
    }
    hls.update(stream);
    for (const StartPoint& start : stream.starts()) {
      AMT_ASSERT(start.position >= stream.ring().begin() && start.position <= stream.ring().end());
      AMT_ASSERT(start.position % kTsPacketOctets == 0 && start.tables->size() % kTsPacketOctets == 0);
    }
    AMT_ASSERT(stream.programs().programs().size() <= ProgramMap::kProgramsMax);
    AMT_ASSERT(hls.octets() <= HlsSegmenter::kKept * 4 * kRingOctets);
  }
  static_cast<void>(stream.codecs());
  static_cast<void>(hls.playlist(""));
}

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  amt::run(amt::ByteReader(amt::fuzz::input(data, size)));
  return 0;
}
