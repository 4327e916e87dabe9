#include "media/stream_meter.hh"

#include <gtest/gtest.h>

#include <vector>

#include "media/pacer.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;

/// ISO/IEC 13818-1 §2.4.3.2: sync, PID, adaptation field control and continuity counter.
Octets ts_packet(unsigned pid, unsigned continuity, std::optional<std::int64_t> pcr = {},
                 unsigned adaptation_flags = 0) {
  Octets packet(kTsPacketOctets, std::byte{0xff});
  packet[0] = std::byte{0x47};
  packet[1] = static_cast<std::byte>(pid >> 8);
  packet[2] = static_cast<std::byte>(pid & 0xff);
  packet[3] = static_cast<std::byte>((pcr || adaptation_flags != 0 ? 0x30 : 0x10) | (continuity & 0x0f));
  if (pcr || adaptation_flags != 0) {
    packet[4] = std::byte{7};
    packet[5] = static_cast<std::byte>(adaptation_flags | (pcr ? 0x10U : 0U));
    const std::int64_t base = pcr.value_or(0) / 300;
    const std::int64_t extension = pcr.value_or(0) % 300;
    for (unsigned i = 0; i < 4; ++i) packet[6 + i] = static_cast<std::byte>(base >> (25 - 8 * i) & 0xff);
    packet[10] = static_cast<std::byte>((base & 1) << 7 | 0x7e | extension >> 8);
    packet[11] = static_cast<std::byte>(extension & 0xff);
  }
  return packet;
}
TsPacketView view(const Octets& packet) { return TsPacketView::parse(packet); }

TEST(TransportStream, ReadsTheClockOfACapturedPacket) {
  // First PCR of a stream that ffmpeg's mpegts muxer wrote: PID 0x100, random access, 47 41 00 30 07 50 00 00 7b 0c 7e
  // 00.
  Octets packet(kTsPacketOctets, std::byte{0xff});
  const unsigned head[] = {0x47, 0x41, 0x00, 0x30, 0x07, 0x50, 0x00, 0x00, 0x7b, 0x0c, 0x7e, 0x00};
  for (std::size_t i = 0; i < std::size(head); ++i) packet[i] = static_cast<std::byte>(head[i]);
  EXPECT_EQ(view(packet).pid, 0x100);
  EXPECT_EQ(view(packet).pcr, 63000 * 300);  // 0.7 s, the muxer's preload
  EXPECT_TRUE(view(packet).has_payload);
}

TEST(TransportStream, FindsGapsOfEachPid) {
  TsMeter meter;
  for (const unsigned i : {14U, 15U, 0U, 1U}) meter.add(view(ts_packet(0x100, i)));
  EXPECT_EQ(meter.lost(), 0u);
  meter.add(view(ts_packet(0x101, 9)));
  meter.add(view(ts_packet(0x100, 4)));  // 2 and 3 are missing
  EXPECT_EQ(meter.lost(), 2u);
  meter.add(view(ts_packet(0x100, 4)));  // sent twice: allowed once
  EXPECT_EQ(meter.lost(), 2u);
  meter.add(view(ts_packet(0x100, 4)));
  EXPECT_EQ(meter.lost(), 17u);
  meter.add(view(ts_packet(0x100, 9, {}, 0x80)));  // announced discontinuity
  meter.add(view(ts_packet(0x1fff, 3)));
  meter.add(view(ts_packet(0x1fff, 9)));
  EXPECT_EQ(meter.lost(), 17u);
  EXPECT_EQ(meter.packets(), 11u);
}

TEST(TransportStream, CountsNothingAcrossAPause) {
  StreamMeter meter;
  meter.add(ts_packet(0x100, 1));
  meter.note_pause();
  meter.add(ts_packet(0x100, 9));  // 7, 23 or 1607 may be missing
  EXPECT_EQ(meter.transport_stream().lost(), 0u);
  meter.add(ts_packet(0x100, 11));
  EXPECT_EQ(meter.transport_stream().lost(), 1u);
}

TEST(TransportStream, APacketWithoutPayloadRepeatsTheCounter) {
  TsMeter meter;
  meter.add(view(ts_packet(0x100, 3)));
  Octets no_payload = ts_packet(0x100, 3, 0);
  no_payload[3] = std::byte{0x23};
  meter.add(view(no_payload));
  meter.add(view(no_payload));
  meter.add(view(ts_packet(0x100, 4)));
  EXPECT_EQ(meter.lost(), 0u);
}

TEST(TransportStream, IsRecognisedByEverySyncOctet) {
  Octets two = ts_packet(0x100, 1);
  const Octets second = ts_packet(0x100, 2);
  two.insert(two.end(), second.begin(), second.end());
  EXPECT_TRUE(is_transport_stream(two));
  two[kTsPacketOctets] = std::byte{0};
  EXPECT_FALSE(is_transport_stream(two));
  EXPECT_FALSE(is_transport_stream(Bytes{}));
  EXPECT_FALSE(is_transport_stream(Bytes(two).first(100)));
}

TEST(TransportStream, ReadsNothingPastAFieldThatLies) {
  Octets packet = ts_packet(0x100, 1, 5);
  packet[4] = std::byte{255};
  EXPECT_FALSE(view(packet).pcr);
  packet[4] = std::byte{6};  // too short for a PCR
  EXPECT_FALSE(view(packet).pcr);
  packet[4] = std::byte{0};
  EXPECT_FALSE(view(packet).pcr);
}

Octets rtp(unsigned sequence, unsigned source, const Octets& payload, unsigned first = 0x80) {
  Octets packet(12);
  packet[0] = static_cast<std::byte>(first);
  packet[1] = std::byte{33};
  packet[2] = static_cast<std::byte>(sequence >> 8 & 0xff);
  packet[3] = static_cast<std::byte>(sequence & 0xff);
  packet[11] = static_cast<std::byte>(source);
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

TEST(RtpMeter, CountsWhatIsMissingOverTheWrap) {
  RtpMeter meter;
  for (const unsigned i : {65534U, 65535U, 1U, 2U}) meter.add(rtp(i, 1, {}));
  EXPECT_EQ(meter.lost(), 1u);
  meter.add(rtp(0, 1, {}));  // late
  EXPECT_EQ(meter.lost(), 0u);
  EXPECT_EQ(meter.packets(), 5u);
}

TEST(RtpMeter, AnotherSourceOrAJumpIsARestartAndNoLoss) {
  RtpMeter meter;
  for (const unsigned i : {1U, 3U}) meter.add(rtp(i, 1, {}));
  meter.add(rtp(30'000, 2, {}));
  meter.add(rtp(10'000, 2, {}));
  meter.add(rtp(10'001, 2, {}));
  EXPECT_EQ(meter.lost(), 1u);
}

TEST(RtpMeter, TakesHeaderExtensionAndPaddingApart) {
  RtpMeter meter;
  // RFC 3550 §5.1, §5.3.1: one CSRC, an extension of one word, two octets of padding
  Octets packet = rtp(1, 1, {}, 0x80 | 0x20 | 0x10 | 1);
  for (const unsigned octet : {9U, 9U, 9U, 9U, 0U, 0U, 0U, 1U, 8U, 8U, 8U, 8U, 0xaaU, 0xbbU, 0U, 2U}) {
    packet.push_back(static_cast<std::byte>(octet));
  }
  const std::optional<Bytes> payload = meter.add(packet);
  ASSERT_TRUE(payload);
  ASSERT_EQ(payload->size(), 2u);
  EXPECT_EQ((*payload)[0], std::byte{0xaa});
  // Cut anywhere, and all the same refused or within bounds.
  for (std::size_t size = 0; size < packet.size(); ++size) static_cast<void>(RtpMeter().add(Bytes(packet).first(size)));
  EXPECT_FALSE(RtpMeter().add(Bytes(packet).first(11)));
}

TEST(StreamMeter, RecognisesWhatAStreamIs) {
  StreamMeter meter;
  meter.add(ts_packet(0x100, 1));
  EXPECT_EQ(meter.kind(), StreamMeter::Kind::kTransportStream);
  meter.add(rtp(1, 1, ts_packet(0x100, 3)));
  EXPECT_EQ(meter.kind(), StreamMeter::Kind::kTransportStreamInRtp);
  EXPECT_EQ(meter.transport_stream().lost(), 1u);
  meter.add(rtp(3, 1, {std::byte{1}}));
  EXPECT_EQ(meter.kind(), StreamMeter::Kind::kRtp);
  EXPECT_EQ(meter.rtp().lost(), 1u);
  meter.add(Octets{std::byte{1}});
  EXPECT_EQ(meter.kind(), StreamMeter::Kind::kUnknown);
}

std::vector<std::int64_t> milliseconds(TsPacer& pacer) {
  std::vector<std::int64_t> times;
  while (const auto paced = pacer.poll()) times.push_back(paced->at.count() / 1'000'000);
  return times;
}

TEST(TsPacer, SpreadsPacketsEvenlyBetweenClockReferences) {
  TsPacer pacer(1'000'000);
  pacer.add(ts_packet(0, 0));  // a table
  pacer.add(ts_packet(0x100, 0, 27'000'000));
  for (unsigned i = 1; i < 4; ++i) pacer.add(ts_packet(0x100, i));
  pacer.add(ts_packet(0x101, 0, 5));  // another programme's clock
  EXPECT_EQ(milliseconds(pacer), (std::vector<std::int64_t>{0}));
  pacer.add(ts_packet(0x100, 4, 27'000'000 + 2'700'000));
  EXPECT_EQ(milliseconds(pacer), (std::vector<std::int64_t>{0, 20, 40, 60, 80}));
  pacer.add(ts_packet(0x100, 5));
  pacer.finish();  // at the last rate, 20 ms a packet
  EXPECT_EQ(milliseconds(pacer), (std::vector<std::int64_t>{100, 120}));
}

TEST(TsPacer, TheClockMayWrapAndMayJump) {
  TsPacer pacer(1'000'000);
  pacer.add(ts_packet(0x100, 0, kPcrWrap - 1'350'000));
  pacer.add(ts_packet(0x100, 1, 1'350'000));  // 100 ms later, over the wrap
  EXPECT_EQ(milliseconds(pacer), (std::vector<std::int64_t>{0}));
  pacer.add(ts_packet(0x100, 2, 900'000'000));  // a jump: the last rate goes on
  EXPECT_EQ(milliseconds(pacer), (std::vector<std::int64_t>{100}));
  pacer.add(ts_packet(0x100, 3, 0));
  EXPECT_EQ(milliseconds(pacer), (std::vector<std::int64_t>{200}));
}

TEST(TsPacer, WithoutAClockTheGivenRateHoldsAndMemoryIsBounded) {
  TsPacer pacer(8 * kTsPacketOctets * 1000);  // a packet per millisecond
  std::vector<std::int64_t> times;
  for (unsigned i = 0; i < 120'000; ++i) {
    pacer.add(ts_packet(0x100, i));
    for (const std::int64_t at : milliseconds(pacer)) times.push_back(at);
  }
  ASSERT_EQ(times.size(), 100'000u);
  EXPECT_EQ(times[50'000], 50'000);
  EXPECT_EQ(times[99'999], 99'999);
}

TEST(TsPacer, ReleasesWhatWaitsForAClockThatDoesNotCome) {
  TsPacer pacer(1'000'000);
  pacer.add(ts_packet(0x100, 0, 0));
  for (unsigned i = 1; i < 4; ++i) pacer.add(ts_packet(0x100, i));
  EXPECT_EQ(milliseconds(pacer).size(), 0u);
  pacer.release(std::chrono::milliseconds(400));
  EXPECT_EQ(milliseconds(pacer), (std::vector<std::int64_t>{0, 100, 200, 300}));
  EXPECT_EQ(pacer.waiting(), 0u);
  // And takes another PID's clock from then on.
  pacer.add(ts_packet(0x200, 0, 0));
  pacer.add(ts_packet(0x200, 1));
  pacer.add(ts_packet(0x200, 2, kPcrTicksPerSecond / 10));
  EXPECT_EQ(milliseconds(pacer), (std::vector<std::int64_t>{400, 450}));
}

constexpr Duration kLateness(50);

TEST(Schedule, HoldsNothingBackForLongerThanItMay) {
  Schedule schedule(Instant(Duration(1000)), Duration(400));
  EXPECT_EQ(schedule.due(Duration(300), Instant(Duration(1000)), kLateness), Instant(Duration(1300)));
  // The clock leapt by 5000: from here on it is 4900 behind.
  EXPECT_EQ(schedule.due(Duration(5300), Instant(Duration(1300)), kLateness), Instant(Duration(1700)));
  EXPECT_EQ(schedule.due(Duration(5400), Instant(Duration(1700)), kLateness), Instant(Duration(1800)));
}

TEST(Schedule, KeepsTheRateWithoutDrift) {
  Schedule schedule(Instant(Duration(1000)));
  EXPECT_EQ(schedule.due(Duration(10), Instant(Duration(1030)), kLateness), Instant(Duration(1010)));
  EXPECT_EQ(schedule.due(Duration(20), Instant(Duration(1030)), kLateness), Instant(Duration(1020)));
}

TEST(Schedule, DoesNotCatchUpInOneBurst) {
  Schedule schedule(Instant(Duration(1000)));
  EXPECT_EQ(schedule.due(Duration(10), Instant(Duration(2000)), kLateness), Instant(Duration(1950)));
  EXPECT_EQ(schedule.due(Duration(70), Instant(Duration(2000)), kLateness), Instant(Duration(2010)));
}

TEST(Schedule, CatchesUpWithEverythingWhereThatIsAsked) {
  Schedule schedule(Instant(Duration(1000)));
  EXPECT_EQ(schedule.due(Duration(10), Instant(Duration(2000)), Duration::max()), Instant(Duration(1010)));
  EXPECT_EQ(schedule.due(Duration(1070), Instant(Duration(2000)), kLateness), Instant(Duration(2070)));
}

}  // namespace
}  // namespace amt
