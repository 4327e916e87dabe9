#include "cli/send_source.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "base/random.hh"
#include "cli/cli_test_support.hh"
#include "media/test_pattern.hh"
#include "media/transport_stream.hh"
#include "sys/unique_fd.hh"

namespace amt::cli_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

/// A packet of PID 256; `pcr`: in milliseconds.
std::string ts_packet(unsigned continuity, std::optional<std::uint64_t> pcr = {}) {
  std::string out(kTsPacketOctets, '\xff');
  out[0] = '\x47';
  out[1] = '\x01';
  out[2] = '\x00';
  out[3] = static_cast<char>((pcr ? 0x30U : 0x10U) | (continuity & 0xfU));
  if (!pcr) return out;
  // ISO/IEC 13818-1 §2.4.3.5: 33 bits of 90 kHz.
  const std::uint64_t base = *pcr * 90;
  out[4] = '\x07';
  out[5] = '\x10';
  for (int i = 0; i < 4; ++i) out[static_cast<std::size_t>(6 + i)] = static_cast<char>(base >> (25 - 8 * i));
  out[10] = static_cast<char>((base & 1U) << 7U | 0x7eU);
  out[11] = '\0';
  return out;
}
/// A PCR each 40 ms, eight packets from one to the next.
std::string stream(unsigned packets) {
  std::string out;
  for (unsigned i = 0; i < packets; ++i) {
    out += ts_packet(i, i % 8 == 0 ? std::optional<std::uint64_t>(1000 + i * 5) : std::nullopt);
  }
  return out;
}

class SendSourceTest : public ::testing::Test {
 protected:
  /// `arguments`: behind `amt send`.
  SysResult<std::unique_ptr<SendSource>> make(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"send", "232.1.1.1:5000"});
    return make_send_source(config_of<SendConfig>(std::move(arguments)), *stop_, random_);
  }
  void open(std::vector<std::string> arguments) {
    SysResult<std::unique_ptr<SendSource>> source = make(std::move(arguments));
    ASSERT_TRUE(source) << source.error().to_string();
    source_ = std::move(*source);
  }
  /// Of the next datagram; nothing: that was all.
  std::optional<Duration> next() {
    const SysResult<std::optional<Duration>> due = source_->next();
    EXPECT_TRUE(due);
    return due ? *due : std::nullopt;
  }
  std::string payload() {
    const Bytes octets = source_->payload(Instant(seconds(5)));
    std::string out(octets.size(), '\0');
    std::ranges::transform(octets, out.begin(), [](std::byte one) { return std::to_integer<char>(one); });
    return out;
  }

  const SignalMask mask_;
  TemporaryFolder folder_;
  SysResult<StopSignal> stop_ = StopSignal::create();
  SeededRandom random_{1};
  std::unique_ptr<SendSource> source_;
};

TEST_F(SendSourceTest, NumberedPacketsLeaveAtTheirRate) {
  open({"--rate", "8M", "--size", "1000"});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(next(), milliseconds(1) * i);
    const Bytes octets = source_->payload(Instant(seconds(7)));
    const auto packet = parse_test_packet(octets);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->sequence, static_cast<std::uint32_t>(i));
    EXPECT_EQ(packet->sent, Instant(seconds(7)));
  }
  EXPECT_EQ(source_->description(), "numbered packets of 1000 octets");
  EXPECT_EQ(source_->lateness_max(), milliseconds(4));
  EXPECT_EQ(source_->hold_max(), Duration::max());
}

TEST_F(SendSourceTest, AFileIsSentWholeInPieces) {
  std::string content;
  for (int i = 0; i < 2500; ++i) content += static_cast<char>('a' + i % 23);
  open({folder_.write("file", content), "--rate", "8M", "--size", "1000"});
  std::string sent;
  std::vector<Duration> times;
  while (const std::optional<Duration> due = next()) {
    times.push_back(*due);
    sent += payload();
  }
  EXPECT_EQ(sent, content);
  EXPECT_EQ(times, (std::vector<Duration>{milliseconds(0), milliseconds(1), milliseconds(2)}));
  EXPECT_THAT(source_->description(), HasSubstr("file, 1000 octets a packet"));
}

TEST_F(SendSourceTest, ATransportStreamKeepsItsOwnTime) {
  const std::string content = stream(64);
  open({folder_.write("stream.ts", content)});
  EXPECT_THAT(source_->description(), HasSubstr("MPEG-TS in its own time, 1316 octets a packet"));
  std::string sent;
  std::vector<Duration> times;
  while (const std::optional<Duration> due = next()) {
    times.push_back(*due);
    sent += payload();
  }
  EXPECT_EQ(sent, content);
  ASSERT_EQ(times.size(), 10U);  // 64 packets by seven
  // Seven packets of 5 ms each, the eighth datagram begins with the 50th packet.
  EXPECT_EQ(times[7] - times[0], milliseconds(49 * 5));
}

TEST_F(SendSourceTest, ARateThatWasGivenWinsOverTheClockOfTheStream) {
  open({folder_.write("stream.ts", stream(14)), "--rate", "1M"});
  EXPECT_THAT(source_->description(), HasSubstr("1316 octets a packet"));
  EXPECT_EQ(next(), Duration::zero());
  EXPECT_EQ(next(), std::chrono::nanoseconds(10'528'000));
}

TEST_F(SendSourceTest, FindsTheNextPacketAfterDamage) {
  const std::string content = stream(16);
  open({folder_.write("stream.ts", content + "garbage" + stream(16))});
  std::string sent;
  while (next()) sent += payload();
  EXPECT_EQ(sent, content + stream(16));
}

TEST_F(SendSourceTest, WhatComesFromAPipeIsNotHeldForLong) {
  ASSERT_EQ(::mkfifo(folder_.path("pipe").c_str(), 0600), 0);
  const UniqueFd both(::open(folder_.path("pipe").c_str(), O_RDWR | O_CLOEXEC));
  const std::string content = stream(12);
  ASSERT_EQ(::write(both.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
  open({folder_.path("pipe")});
  EXPECT_EQ(source_->hold_max(), milliseconds(250));
  // The second PCR stands in the ninth packet; what follows it waits for a third that does not come.
  std::string sent;
  while (sent.size() < content.size() && next()) sent += payload();
  EXPECT_EQ(sent, content);
}

TEST_F(SendSourceTest, AFileThatIsNotThereIsAnError) {
  const auto source = make({folder_.path("none")});
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ENOENT);
  const auto directory = make({folder_.path(".")});
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().code, EISDIR);
}

}  // namespace
}  // namespace amt::cli_test
