#include "media/test_pattern.hh"

#include <algorithm>

#include "media/crc32c.hh"

namespace amt {
namespace {

constexpr std::array<std::byte, 8> kMagic = {std::byte{'a'}, std::byte{'m'}, std::byte{'t'}, std::byte{' '},
                                             std::byte{'t'}, std::byte{'e'}, std::byte{'s'}, std::byte{'t'}};
constexpr std::size_t kLengthOffset = 24;
constexpr std::size_t kChecksumOffset = 28;
constexpr std::size_t kStreamsMax = 16;

/// Of everything but the checksum itself.
std::uint32_t checksum(Bytes payload) {
  return crc32c(payload.subspan(kTestPacketHeaderOctets), crc32c(payload.first(kChecksumOffset)));
}

}  // namespace

void write_test_packet(const TestPacket& packet, MutableBytes payload) {
  AMT_ASSERT(payload.size() >= kTestPacketHeaderOctets);
  ByteWriter writer(payload);
  writer.bytes(kMagic);
  writer.u32(packet.stream);
  writer.u32(packet.sequence);
  const auto sent = static_cast<std::uint64_t>(packet.sent.time_since_epoch().count());
  writer.u32(static_cast<std::uint32_t>(sent >> 32));
  writer.u32(static_cast<std::uint32_t>(sent & 0xffffffff));
  writer.u32(static_cast<std::uint32_t>(payload.size()));
  for (std::size_t i = kTestPacketHeaderOctets; i < payload.size(); ++i) {
    payload[i] = static_cast<std::byte>((i + packet.sequence) & 0xff);
  }
  writer.u32(checksum(payload));
}

std::optional<TestPacket> peek_test_packet(Bytes payload) {
  if (payload.size() < kTestPacketHeaderOctets) return std::nullopt;
  ByteReader reader(payload);
  if (!std::ranges::equal(reader.bytes(kMagic.size()), kMagic)) return std::nullopt;
  TestPacket packet;
  packet.stream = reader.u32();
  packet.sequence = reader.u32();
  const std::uint64_t sent_high = reader.u32();
  packet.sent = Instant(Duration(static_cast<Duration::rep>(sent_high << 32 | reader.u32())));
  return packet;
}

Result<TestPacket, TestPacketError> parse_test_packet(Bytes payload) {
  using Error = Unexpected<TestPacketError>;
  const std::optional<TestPacket> packet = peek_test_packet(payload);
  if (!packet) return Error(TestPacketError::kNotATestPacket);
  ByteReader rest(payload.subspan(kLengthOffset));
  if (rest.u32() != payload.size()) return Error(TestPacketError::kBadLength);
  if (rest.u32() != checksum(payload)) return Error(TestPacketError::kBadChecksum);
  return *packet;
}

TestVerifier::Stream& TestVerifier::find_stream(std::uint32_t id) {
  for (Stream& stream : streams_) {
    if (stream.id == id) return stream;
  }
  if (streams_.size() < kStreamsMax) return streams_.emplace_back(Stream{.id = id});
  Stream& oldest = *std::ranges::min_element(streams_, {}, &Stream::last_packet);
  counts_.lost += oldest.tracker.lost();
  oldest = Stream{.id = id};
  return oldest;
}

void TestVerifier::add(Bytes payload) {
  const Result<TestPacket, TestPacketError> packet = parse_test_packet(payload);
  if (!packet) {
    ++(packet.error() == TestPacketError::kNotATestPacket ? counts_.foreign : counts_.damaged);
    return;
  }
  ++counts_.received;
  counts_.bytes += payload.size();
  Stream& stream = find_stream(packet->stream);
  stream.last_packet = counts_.received;
  switch (stream.tracker.add(packet->sequence)) {
    case SequenceTracker::Verdict::kInOrder:
      break;
    case SequenceTracker::Verdict::kReordered:
    case SequenceTracker::Verdict::kTooOld:
      ++counts_.reordered;
      break;
    case SequenceTracker::Verdict::kDuplicate:
      ++counts_.duplicated;
      break;
  }
}

TestVerifier::Counts TestVerifier::counts() const {
  Counts counts = counts_;
  for (const Stream& stream : streams_) counts.lost += stream.tracker.lost();
  return counts;
}

}  // namespace amt
