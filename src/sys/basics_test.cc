#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sys/clock.hh"
#include "sys/error.hh"
#include "sys/host_lookup.hh"
#include "sys/lasting_port.hh"
#include "sys/os_random.hh"
#include "sys/socket_address.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

TEST(SysError, NamesCallObjectAndReason) {
  EXPECT_EQ((SysError{"bind", "192.0.2.1:2268", EADDRINUSE}.to_string()),
            "bind 192.0.2.1:2268: Address already in use");
  EXPECT_EQ((SysError{"epoll_create", "", EMFILE}.to_string()), "epoll_create: Too many open files");
}

TEST(HostLookup, KnowsThisHost) {
  const auto addresses = look_up_host("localhost");
  ASSERT_TRUE(addresses) << addresses.error().text;
  for (const IpAddress& address : *addresses) EXPECT_TRUE(address.is_loopback()) << address.to_string();
}

TEST(HostLookup, SaysWhyANameIsUnknown) {  // RFC 6761 §6.4: `invalid` never resolves
  const auto addresses = look_up_host("relay.invalid");
  ASSERT_FALSE(addresses);
  EXPECT_FALSE(addresses.error().text.empty());
}

TEST(HostLookup, GoesOnBesideOtherThings) {
  const HostLookup lookup("localhost");
  std::optional<HostAddresses> answer;
  for (int i = 0; i < 500 && !answer; ++i) {
    answer = lookup.poll();
    ::usleep(10'000);
  }
  ASSERT_TRUE(answer);
  ASSERT_TRUE(*answer);
  EXPECT_TRUE((*answer)->front().is_loopback());
}

TEST(LastingPort, StaysAndDependsOnItsPurpose) {
  const auto port = lasting_port("gateway amt0");
  if (!port) GTEST_SKIP() << "this machine has no identity (/etc/machine-id)";
  EXPECT_GE(*port, 49152);
  EXPECT_EQ(lasting_port("gateway amt0"), port);
  // Two purposes may meet by chance, these ten do not all.
  bool differs = false;
  for (int i = 1; i <= 10; ++i) differs = differs || lasting_port("gateway amt" + std::to_string(i)) != port;
  EXPECT_TRUE(differs);
}

TEST(SysError, TakesErrnoAsItIs) {
  ASSERT_EQ(::open("/no/such/file", O_RDONLY | O_CLOEXEC), -1);
  const SysError error = SysError::last("open", "a file whose name is longer than the small string buffer");
  EXPECT_EQ(error.code, ENOENT);
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(UniqueFd, ClosesOnceAndMoves) {
  UniqueFd first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  UniqueFd second(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(first && second);
  const int a = first.get();
  const int b = second.get();
  second = std::move(first);
  EXPECT_FALSE(is_open(b));
  EXPECT_TRUE(is_open(a));
  EXPECT_FALSE(first);  // NOLINT: moved from on purpose
  const int released = second.release();
  EXPECT_FALSE(second);
  EXPECT_TRUE(is_open(released));
  { const UniqueFd owner(released); }
  EXPECT_FALSE(is_open(released));
}

TEST(Clock, NeverRunsBackwards) {
  Instant last = monotonic_now();
  for (int i = 0; i < 1000; ++i) {
    const Instant now = monotonic_now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(OsRandom, FillsEveryOctet) {  // R-5.2.3.4.5-a, R-5.2.3.5.6-a: the CSPRNG that nonces come from
  OsRandom random;
  std::array<std::byte, 8> seen{};
  for (int i = 0; i < 64; ++i) {
    std::array<std::byte, 8> octets{};
    random.fill(octets);
    for (std::size_t k = 0; k < seen.size(); ++k) seen[k] |= octets[k];
  }
  for (const std::byte octet : seen) EXPECT_EQ(octet, std::byte{0xff});  // fails once in 2^58
}

TEST(SocketAddress, KeepsBothFamilies) {
  for (const char* text : {"192.0.2.7:2268", "[2001:db8::7]:9"}) {
    const Endpoint endpoint = *Endpoint::parse(text, 0);
    const SocketAddress address(endpoint);
    EXPECT_EQ(address.endpoint(), endpoint);
    EXPECT_EQ(address.data()->sa_family, endpoint.address.is_v4() ? AF_INET : AF_INET6);
    EXPECT_EQ(address.size(), endpoint.address.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  }
  EXPECT_FALSE(SocketAddress().endpoint());
}

}  // namespace
}  // namespace amt
