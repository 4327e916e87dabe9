/// The meters of RTP, MPEG-TS and the numbered test pattern: any datagrams, and no count that cannot be.
///
/// First octet: what follows is datagrams (each with its length in an octet) for the stream meter (0), the test
/// pattern's verifier (1) or the reception of RTP with its repair (2), or the sequence numbers of a tracker of 1 to 32
/// bits.

#include <algorithm>
#include <vector>

#include "allocations.hh"
#include "fuzz_target.hh"
#include "media/rtp_reception.hh"
#include "media/sequence_tracker.hh"
#include "media/stream_meter.hh"
#include "media/test_pattern.hh"

namespace amt {
namespace {

constexpr int kDatagramsMax = 64;
/// Trackers and the table of PIDs have fixed sizes.
constexpr std::size_t kMeterOctetsMax = 512 * 1024;

void run_stream(ByteReader in) {
  const fuzz::Allocations memory;
  StreamMeter meter;
  std::vector<std::byte> packets;
  for (int i = 0; i < kDatagramsMax && in.has(1); ++i) {
    const std::uint8_t octets = in.u8();
    if (octets < 0xc0) {
      meter.add(fuzz::next_bytes(in, octets));
      continue;
    }
    // Whole transport packets, of which the input says only the start.
    packets.assign((octets % 4U + 1) * kTsPacketOctets, std::byte{0});
    for (std::size_t at = 0; at < packets.size(); at += kTsPacketOctets) {
      const Bytes start = fuzz::next_bytes(in, 12);
      packets[at] = kTsSync;
      std::copy(start.begin(), start.end(), packets.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
    meter.add(packets);
  }
  const TsMeter& ts = meter.transport_stream();
  AMT_ASSERT(ts.lost() <= ts.packets() * 15 && ts.errors() <= ts.packets());
  AMT_ASSERT(meter.rtp().packets() <= kDatagramsMax && meter.rtp().lost() <= 0x10000U * meter.rtp().packets());
  AMT_ASSERT(memory.held() <= kMeterOctetsMax);
}

void run_test_pattern(ByteReader in) {
  const fuzz::Allocations memory;
  TestVerifier verifier;
  std::vector<std::byte> packet;
  std::uint64_t added = 0;
  for (int i = 0; i < kDatagramsMax && in.has(1); ++i) {
    const std::uint8_t operation = in.u8();
    TestPacket sent;
    sent.stream = operation % 8U;
    sent.sequence = (operation & 0x40U) != 0 ? fuzz::next_u16(in) * 0x10001U : fuzz::next_u8(in);
    packet.assign(kTestPacketHeaderOctets + (operation >> 3) % 4U, std::byte{0});
    write_test_packet(sent, packet);
    const Result<TestPacket, TestPacketError> parsed = parse_test_packet(packet);
    AMT_ASSERT(parsed && parsed->stream == sent.stream && parsed->sequence == sent.sequence);
    if ((operation & 0x80U) != 0) {
      const std::size_t at = fuzz::next_u8(in) % packet.size();
      packet[at] ^= static_cast<std::byte>(fuzz::next_u8(in) | 1U);
      AMT_ASSERT(!parse_test_packet(packet));
    }
    verifier.add(packet);
    ++added;
  }
  verifier.add(in.rest());
  ++added;
  const TestVerifier::Counts counts = verifier.counts();
  AMT_ASSERT(counts.received + counts.damaged + counts.foreign == added);
  AMT_ASSERT(counts.duplicated + counts.reordered <= counts.received);
  AMT_ASSERT(memory.held() <= 16 * kMeterOctetsMax);
}

void run_reception(ByteReader in) {
  constexpr std::uint16_t kPort = 5000;
  const fuzz::Allocations memory;
  RtpReception reception(RtpUnwrapper::Mode::kAll, kPort);
  Instant now{std::chrono::seconds(1)};
  std::uint64_t taken = 0;
  std::uint64_t given = 0;
  std::vector<std::byte> packet;
  for (int i = 0; i < 4 * kDatagramsMax && in.has(1); ++i) {
    const std::uint8_t operation = in.u8();
    if (operation == 0) {
      now += std::chrono::milliseconds(fuzz::next_u8(in));
      given += reception.handle_timeout(now).size();
      continue;
    }
    // An RTP header of one source; the input says flags, number and what follows.
    packet.assign(12, std::byte{0});
    packet[0] = static_cast<std::byte>(0x80U | (operation & 0x30U));
    packet[3] = static_cast<std::byte>(fuzz::next_u8(in));
    const Bytes rest = fuzz::next_bytes(in, operation & 0x0fU ? 24U : 2U);
    packet.insert(packet.end(), rest.begin(), rest.end());
    const auto port = static_cast<std::uint16_t>(kPort + 2 * (operation >> 6));
    const RtpReception::Datagram one{port, packet};
    given += reception.handle_datagrams(now, {&one, 1}).size();
    ++taken;
  }
  given += reception.finish().size();
  AMT_ASSERT(given <= taken + reception.repaired() && reception.repaired() <= taken * RtpRepair::kRepairMax);
  AMT_ASSERT(memory.held() <= kMeterOctetsMax);
}

void run_tracker(ByteReader in, unsigned bits) {
  const fuzz::Allocations memory;
  SequenceTracker tracker(bits);
  const std::uint32_t mask = bits == 32 ? 0xffffffffU : (std::uint32_t{1} << bits) - 1;
  std::uint64_t fresh = 0;
  for (int i = 0; i < kDatagramsMax && in.has(1); ++i) {
    const std::uint32_t number = (std::uint32_t{fuzz::next_u16(in)} << (bits > 16 ? bits - 16 : 0)) & mask;
    const SequenceTracker::Verdict verdict = tracker.add(number);
    if (verdict == SequenceTracker::Verdict::kInOrder || verdict == SequenceTracker::Verdict::kReordered) ++fresh;
    AMT_ASSERT(tracker.distinct() == fresh && tracker.lost() <= fresh * (std::uint64_t{mask} + 1));
  }
  AMT_ASSERT(memory.held() <= kMeterOctetsMax);
}

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  amt::ByteReader in(amt::fuzz::input(data, size));
  const std::uint8_t what = amt::fuzz::next_u8(in);
  if (what == 0) {
    amt::run_stream(in);
  } else if (what == 1) {
    amt::run_test_pattern(in);
  } else if (what == 2) {
    amt::run_reception(in);
  } else {
    amt::run_tracker(in, what % 32U + 1);
  }
  return 0;
}
