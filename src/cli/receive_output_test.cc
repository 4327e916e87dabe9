#include "cli/receive_output.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

#include "cli/cli_test_support.hh"
#include "cli/payload_writer.hh"
#include "io/udp_socket.hh"
#include "sys/clock.hh"
#include "sys/unique_fd.hh"

namespace amt::cli_test {
namespace {

using ::testing::IsEmpty;

std::vector<std::byte> octets(std::string_view text) {
  std::vector<std::byte> out(text.size());
  std::ranges::transform(text, out.begin(), [](char c) { return static_cast<std::byte>(c); });
  return out;
}
/// RTP of payload type 96 (RFC 3550 §5.1).
std::vector<std::byte> rtp(int sequence, std::string_view text) {
  std::vector<std::byte> out(12);
  out[0] = std::byte{0x80};
  out[1] = std::byte{96};
  out[3] = static_cast<std::byte>(sequence);
  const std::vector<std::byte> payload = octets(text);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

class ReceiveOutputTest : public ::testing::Test {
 protected:
  // As `main` does.
  ReceiveOutputTest() { std::signal(SIGPIPE, SIG_IGN); }

  SysResult<std::unique_ptr<PayloadOutput>> open_file(const std::string& name, bool overwrite = false) {
    return open_output({.kind = ReceiveOutput::Kind::kFile, .path = folder_.path(name), .endpoint = {}}, overwrite);
  }
  UniqueFd open_fifo(const std::string& name, int flags) {
    EXPECT_TRUE(::mkfifo(folder_.path(name).c_str(), 0600) == 0 || errno == EEXIST);
    return UniqueFd(::open(folder_.path(name).c_str(), flags | O_CLOEXEC));
  }
  static std::string read_all(const UniqueFd& fd) {
    std::string out;
    char piece[65536];
    for (ssize_t got = 0; (got = ::read(fd.get(), piece, sizeof piece)) > 0;)
      out.append(piece, static_cast<std::size_t>(got));
    return out;
  }

  TemporaryFolder folder_;
};

TEST_F(ReceiveOutputTest, AFileHasEveryPayloadInOrder) {
  const auto output = open_file("out");
  ASSERT_TRUE(output);
  std::vector<std::vector<std::byte>> many(1200, octets("0123456789"));
  std::vector<Bytes> payloads(many.begin(), many.end());
  ASSERT_TRUE((*output)->write(payloads));
  const std::vector<std::byte> last = octets("end");
  const Bytes one = last;
  ASSERT_TRUE((*output)->write({&one, 1}));
  std::string wanted;
  for (int i = 0; i < 1200; ++i) wanted += "0123456789";
  EXPECT_EQ(folder_.read("out"), wanted + "end");
  EXPECT_EQ((*output)->dropped(), 0U);
}

TEST_F(ReceiveOutputTest, ARecordingIsNotLostByMistake) {
  folder_.write("out", "an old recording");
  const auto refused = open_file("out");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EEXIST);
  EXPECT_EQ(folder_.read("out"), "an old recording");
  ASSERT_TRUE(open_file("out", true));
  EXPECT_THAT(folder_.read("out"), IsEmpty());
  folder_.write("empty", "");
  EXPECT_TRUE(open_file("empty"));
}

TEST_F(ReceiveOutputTest, AFullDiskIsAnError) {
  const auto full = open_output({.kind = ReceiveOutput::Kind::kFile, .path = "/dev/full", .endpoint = {}}, false);
  ASSERT_TRUE(full);
  const std::vector<std::byte> payload = octets("x");
  const Bytes one = payload;
  const SysResult<void> written = (*full)->write({&one, 1});
  // The kernel's memory devices are written to as files are.
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ENOSPC);
  EXPECT_FALSE(open_file("no-such-folder/out"));
}

TEST_F(ReceiveOutputTest, AReaderThatStopsCostsWholePayloadsAndOneWait) {
  const UniqueFd reader = open_fifo("pipe", O_RDONLY | O_NONBLOCK);
  const auto output = open_file("pipe");
  ASSERT_TRUE(output);
  ::fcntl(reader.get(), F_SETPIPE_SZ, 4096);
  const std::vector<std::byte> payload = octets(std::string(1000, 'x'));
  const std::vector<Bytes> payloads(20, Bytes(payload));
  const Instant start = monotonic_now();
  ASSERT_TRUE((*output)->write(payloads));
  EXPECT_GT((*output)->dropped(), 0U);
  EXPECT_GE(monotonic_now() - start, std::chrono::milliseconds(400));
  ASSERT_TRUE((*output)->write(payloads));
  const std::string first = read_all(reader);
  EXPECT_EQ((first.size() + (*output)->dropped() * 1000) % 1000, 0U);
  EXPECT_EQ(first.size() / 1000 + (*output)->dropped(), 40U);
  // It reads again, and the stream goes on with a whole payload.
  const std::uint64_t before = (*output)->dropped();
  const std::vector<std::byte> fresh = octets("fresh");
  const Bytes one = fresh;
  ASSERT_TRUE((*output)->write({&one, 1}));
  EXPECT_EQ(read_all(reader), "fresh");
  EXPECT_EQ((*output)->dropped(), before);
}

TEST_F(ReceiveOutputTest, AReaderThatLeavesIsAnError) {
  UniqueFd reader = open_fifo("pipe", O_RDONLY | O_NONBLOCK);
  const auto output = open_file("pipe");
  ASSERT_TRUE(output);
  reader.reset();
  const std::vector<std::byte> payload = octets("x");
  const Bytes one = payload;
  const SysResult<void> written = (*output)->write({&one, 1});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, EPIPE);
}

TEST_F(ReceiveOutputTest, AFifoWithoutAReaderDropsUntilThereIsOne) {
  ASSERT_EQ(::mkfifo(folder_.path("pipe").c_str(), 0600), 0);
  const auto output = open_file("pipe");
  ASSERT_TRUE(output);
  const std::vector<std::byte> payload = octets("x");
  const std::vector<Bytes> payloads(3, Bytes(payload));
  ASSERT_TRUE((*output)->write(payloads));
  EXPECT_EQ((*output)->dropped(), 3U);
  const UniqueFd reader = open_fifo("pipe", O_RDONLY | O_NONBLOCK);
  ASSERT_TRUE((*output)->write(payloads));
  EXPECT_EQ(read_all(reader), "xxx");
  EXPECT_EQ((*output)->dropped(), 3U);
}

TEST_F(ReceiveOutputTest, UdpHasADatagramForEachPayload) {
  UdpSocket listener = UdpSocket::bind({*IpAddress::parse("127.0.0.1"), 0}, {}).value();
  const auto output = open_output({.kind = ReceiveOutput::Kind::kUdp, .path = {}, .endpoint = listener.local()}, false);
  ASSERT_TRUE(output);
  const std::vector<std::byte> a = octets("a");
  const std::vector<std::byte> b = octets("bb");
  const std::vector<Bytes> payloads{a, b};
  ASSERT_TRUE((*output)->write(payloads));
  ReceiveBatch batch{8};
  std::vector<std::size_t> sizes;
  while (listener.receive(batch).value_or(0) > 0) {
    for (const Received& message : batch.received()) {
      message.for_each_datagram([&](Bytes datagram) { sizes.push_back(datagram.size()); });
    }
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 2}));
}

TEST(Unwrapping, IsOfTransportStreamsThatAreWritten) {
  const ReceiveOutput file{.kind = ReceiveOutput::Kind::kFile, .path = "x", .endpoint = {}};
  const ReceiveOutput udp{.kind = ReceiveOutput::Kind::kUdp, .path = {}, .endpoint = {}};
  EXPECT_EQ(unwrapping(RtpChoice::kAuto, file), RtpUnwrapper::Mode::kTransportStreams);
  EXPECT_EQ(unwrapping(RtpChoice::kAuto, udp), std::nullopt);
  EXPECT_EQ(unwrapping(RtpChoice::kStrip, udp), RtpUnwrapper::Mode::kAll);
  EXPECT_EQ(unwrapping(RtpChoice::kKeep, file), std::nullopt);
}

class PayloadWriterTest : public ReceiveOutputTest {
 protected:
  PayloadWriter make(std::optional<RtpUnwrapper::Mode> mode, std::optional<std::uint16_t> port = 5000) {
    auto output = open_file("out");
    EXPECT_TRUE(output);
    return PayloadWriter(loop_, std::move(*output), mode, port,
                         [this](const SysError& error) { failures_.push_back(error.code); });
  }
  static Payload to(std::uint16_t port, Bytes octets) {
    return {octets, {*IpAddress::parse("198.51.100.1"), 4000}, {*IpAddress::parse("232.1.1.1"), port}};
  }
  EventLoop loop_;
  std::vector<int> failures_;
};

TEST_F(PayloadWriterTest, WritesRtpWholeWhereItIsKept) {
  PayloadWriter writer = make(std::nullopt);
  const std::vector<std::byte> packet = rtp(1, "one");
  const Payload payload = to(5000, packet);
  writer.write(monotonic_now(), {&payload, 1});
  EXPECT_EQ(folder_.read("out").size(), 15U);
  EXPECT_TRUE(writer.takes(5002));
  EXPECT_FALSE(writer.takes_repair());
}

TEST_F(PayloadWriterTest, PutsWhatCameLateInOrderAndTakesTheHeadersOff) {
  PayloadWriter writer = make(RtpUnwrapper::Mode::kAll);
  for (const int sequence : {1, 2, 4, 3, 5}) {
    const std::vector<std::byte> packet = rtp(sequence, std::to_string(sequence));
    const Payload payload = to(5000, packet);
    writer.write(monotonic_now(), {&payload, 1});
  }
  writer.finish();
  EXPECT_EQ(folder_.read("out"), "12345");
  EXPECT_EQ(writer.late(), 0U);
  EXPECT_EQ(writer.repaired(), 0U);
  EXPECT_TRUE(writer.takes_repair());
}

TEST_F(PayloadWriterTest, WritesWhatWaitsForALostPacketWhenItsTimeIsOver) {
  PayloadWriter writer = make(RtpUnwrapper::Mode::kAll);
  for (const int sequence : {1, 2, 4}) {
    const std::vector<std::byte> packet = rtp(sequence, std::to_string(sequence));
    const Payload payload = to(5000, packet);
    writer.write(monotonic_now(), {&payload, 1});
  }
  EXPECT_EQ(folder_.read("out"), "12");
  Timer look(loop_, [&] {
    if (folder_.read("out") == "124") return loop_.stop();
    look.set(monotonic_now() + std::chrono::milliseconds(5));
  });
  look.set(monotonic_now());
  loop_.run();
  EXPECT_EQ(folder_.read("out"), "124");
}

TEST_F(PayloadWriterTest, SaysOnceThatTheOutputIsGone) {
  UniqueFd reader = open_fifo("out", O_RDONLY | O_NONBLOCK);
  PayloadWriter writer = make(std::nullopt);
  reader.reset();
  const std::vector<std::byte> packet = octets("x");
  const Payload payload = to(5000, packet);
  for (int i = 0; i < 3; ++i) writer.write(monotonic_now(), {&payload, 1});
  EXPECT_EQ(failures_, std::vector{EPIPE});
}

}  // namespace
}  // namespace amt::cli_test
