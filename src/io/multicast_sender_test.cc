#include "io/multicast_sender.hh"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "sys/socket_address.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

using MulticastSenderTest = InTestNamespace;

/// Joined to `group` on `interface`.
UniqueFd listener(const Endpoint& group, const std::string& interface) {
  UniqueFd fd(::socket(address_family(group.address.family()), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const SocketAddress address(group);
  EXPECT_EQ(::bind(fd.get(), address.data(), address.size()), 0);
  group_req request{};
  request.gr_interface = static_cast<std::uint32_t>(find_link(interface)->index);
  std::memcpy(&request.gr_group, address.data(), address.size());
  const int level = group.address.is_v4() ? IPPROTO_IP : IPPROTO_IPV6;
  EXPECT_EQ(::setsockopt(fd.get(), level, MCAST_JOIN_GROUP, &request, sizeof request), 0);
  const timeval limit{5, 0};
  EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
  return fd;
}

void expect_arrival(const std::string& group_text, const std::string& interface, const std::string& source) {
  const Endpoint group = *Endpoint::parse(group_text, 0);
  const UniqueFd fd = listener(group, interface);
  auto sender = MulticastSender::open({.group = group, .interface = interface, .source = {}, .ttl = 3});
  ASSERT_TRUE(ok(sender));
  const std::array<std::byte, 3> payload = {std::byte{1}, std::byte{2}, std::byte{3}};
  ASSERT_TRUE(ok(sender->send(payload)));
  std::array<std::byte, 16> buffer{};
  SocketAddress from;
  socklen_t length = SocketAddress::capacity();
  EXPECT_EQ(::recvfrom(fd.get(), buffer.data(), buffer.size(), 0, from.data(), &length), 3);
  EXPECT_EQ(from.endpoint(), sender->local());
  EXPECT_EQ(sender->local().address.to_string(), source);
}

TEST_F(MulticastSenderTest, ReachesListenersOnThisHostInBothFamilies) {
  ASSERT_TRUE(ok(create_veth("src0", "dst0", std::nullopt)));
  const int index = find_link("src0")->index;
  ASSERT_TRUE(ok(add_address(index, *Prefix::parse("198.51.100.10/24"))));
  ASSERT_TRUE(ok(add_address(index, *Prefix::parse("2001:db8::10/64"))));
  ASSERT_TRUE(ok(set_link_up(find_link("dst0")->index)));
  ASSERT_TRUE(ok(set_link_up(index)));
  expect_arrival("239.1.2.3:5001", "src0", "198.51.100.10");
  expect_arrival("[ff0e::1:2]:5001", "src0", "2001:db8::10");
}

TEST_F(MulticastSenderTest, OnTheLoopbackInterfaceItHasASourceAddressToo) {
  expect_arrival("239.1.2.3:5001", "lo", "127.0.0.1");
}

TEST_F(MulticastSenderTest, SaysWhichThingIsWrong) {
  const Endpoint group = *Endpoint::parse("239.1.2.3:5001", 0);
  const auto no_interface = MulticastSender::open({.group = group, .interface = "nowhere0", .source = {}, .ttl = 1});
  ASSERT_FALSE(no_interface);
  EXPECT_EQ(no_interface.error().to_string(), "interface nowhere0: No such device");
  const auto no_source =
      MulticastSender::open({.group = group, .interface = "lo", .source = IpAddress::parse("192.0.2.1"), .ttl = 1});
  ASSERT_FALSE(no_source);
  EXPECT_EQ(no_source.error().to_string(), "bind 192.0.2.1: Cannot assign requested address");
  const auto no_route = MulticastSender::open({.group = group, .interface = {}, .source = {}, .ttl = 1});
  ASSERT_FALSE(no_route);
  EXPECT_EQ(no_route.error().code, ENETUNREACH);
}

}  // namespace
}  // namespace amt
