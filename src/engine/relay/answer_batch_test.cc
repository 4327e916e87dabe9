#include "engine/relay/answer_batch.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <array>

namespace amt {
namespace {

using ::testing::ElementsAre;

std::unique_ptr<UdpSocket> loopback_socket() {
  SysResult<UdpSocket> socket = UdpSocket::bind({*IpAddress::parse("127.0.0.1"), 0}, {});
  return socket ? std::make_unique<UdpSocket>(std::move(*socket)) : nullptr;
}

/// From whose port, and the first octet, of the `wanted` that come first.
std::vector<std::pair<std::uint16_t, unsigned>> arrived(UdpSocket& socket, std::size_t wanted) {
  std::vector<std::pair<std::uint16_t, unsigned>> all;
  ReceiveBatch batch;
  pollfd ready{socket.fd(), POLLIN, 0};
  while (all.size() < wanted && ::poll(&ready, 1, 10'000) == 1) {
    if (!socket.receive(batch)) break;
    for (const Received& one : batch.received()) {
      all.emplace_back(one.from.port, std::to_integer<unsigned>(one.bytes.front()));
    }
  }
  return all;
}

std::vector<std::byte> octets_of(unsigned value, std::size_t octets) {
  return std::vector<std::byte>(octets, static_cast<std::byte>(value));
}

TEST(AnswerBatch, SendsNothingBeforeTheFlushAndAllInOrderThen) {
  const auto relay = loopback_socket();
  const auto gateway = loopback_socket();
  AnswerBatch answers;
  for (unsigned i = 0; i < 5; ++i) answers.add(*relay, gateway->local(), octets_of(i, 100 + 100 * i));
  pollfd ready{gateway->fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 0);
  answers.flush();
  const std::uint16_t port = relay->local().port;
  EXPECT_THAT(arrived(*gateway, 5), ElementsAre(std::pair(port, 0U), std::pair(port, 1U), std::pair(port, 2U),
                                                std::pair(port, 3U), std::pair(port, 4U)));
  answers.flush();
  EXPECT_EQ(::poll(&ready, 1, 0), 0);
}

TEST(AnswerBatch, LetsEachAnswerLeaveFromTheSocketThatWasAsked) {
  const auto first = loopback_socket();
  const auto second = loopback_socket();
  const auto gateway = loopback_socket();
  AnswerBatch answers;
  answers.add(*first, gateway->local(), octets_of(1, 10));
  answers.add(*second, gateway->local(), octets_of(2, 10));
  answers.add(*first, gateway->local(), octets_of(3, 10));
  answers.flush();
  EXPECT_THAT(arrived(*gateway, 3), ElementsAre(std::pair(first->local().port, 1U), std::pair(second->local().port, 2U),
                                                std::pair(first->local().port, 3U)));
}

TEST(AnswerBatch, LosesNothingWhenMoreThanABatchComes) {
  constexpr unsigned kAnswers = 200;
  const auto relay = loopback_socket();
  const auto gateway = loopback_socket();
  AnswerBatch answers;
  for (unsigned i = 0; i < kAnswers; ++i) answers.add(*relay, gateway->local(), octets_of(i, 1));
  answers.flush();
  const auto got = arrived(*gateway, kAnswers);
  ASSERT_EQ(got.size(), kAnswers);
  for (unsigned i = 0; i < kAnswers; ++i) EXPECT_EQ(got[i].second, i);
}

TEST(AnswerBatch, GoesOnBehindAnAnswerThatCannotBeSent) {
  const auto relay = loopback_socket();
  const auto gateway = loopback_socket();
  AnswerBatch answers;
  answers.add(*relay, gateway->local(), octets_of(1, 10));
  answers.add(*relay, {*IpAddress::parse("255.255.255.255"), 9}, octets_of(2, 10));
  answers.add(*relay, gateway->local(), octets_of(3, 10));
  answers.flush();
  const std::uint16_t port = relay->local().port;
  EXPECT_THAT(arrived(*gateway, 2), ElementsAre(std::pair(port, 1U), std::pair(port, 3U)));
}

}  // namespace
}  // namespace amt
