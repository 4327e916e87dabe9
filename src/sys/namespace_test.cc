#include "sys/namespace.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>

#include "sys/netlink.hh"
#include "sys/process.hh"
#include "sys/socket_address.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Netlink : public InTestNamespace {};

TEST_F(Netlink, MakesVethPairsWithAddressesAndRoutes) {
  SysResult<NetworkNamespace> other = NetworkNamespace::create();
  ASSERT_TRUE(ok(other));
  ASSERT_TRUE(ok(create_veth("near", "far", other->fd())));
  const SysResult<LinkInfo> near = find_link("near");
  ASSERT_TRUE(ok(near));
  EXPECT_FALSE(near->up);
  EXPECT_EQ(near->mtu_octets, 1500U);
  EXPECT_EQ(find_link("far").error().code, ENODEV);
  const SysResult<SysResult<LinkInfo>> far = other->run([] { return find_link("far"); });
  ASSERT_TRUE(far && ok(*far));

  EXPECT_TRUE(ok(set_link_mtu(near->index, 1400)));
  EXPECT_TRUE(ok(set_link_up(near->index)));
  const LinkInfo changed = *find_link("near");
  EXPECT_TRUE(changed.up);
  EXPECT_EQ(changed.mtu_octets, 1400U);

  EXPECT_FALSE(default_route_address(Family::kIpv4));
  EXPECT_FALSE(default_route_address(Family::kIpv6));
  EXPECT_TRUE(ok(add_address(near->index, {*IpAddress::parse("192.0.2.1"), 24})));
  EXPECT_TRUE(ok(add_address(near->index, {*IpAddress::parse("2001:db8::1"), 64})));
  EXPECT_EQ(add_address(near->index, {*IpAddress::parse("192.0.2.1"), 24}).error().to_string(),
            "add address 192.0.2.1/24 on near: File exists");
  EXPECT_TRUE(ok(add_route(near->index, {*IpAddress::parse("232.1.2.3"), 8})));
  EXPECT_TRUE(ok(add_route(near->index, {*IpAddress::parse("ff3e::"), 32})));
  EXPECT_TRUE(ok(add_route(near->index, {*IpAddress::parse("0.0.0.0"), 0}, IpAddress::parse("192.0.2.254"))));
  EXPECT_TRUE(ok(add_route(near->index, {*IpAddress::parse("::"), 0}, IpAddress::parse("2001:db8::fe"))));
  EXPECT_EQ(default_route_address(Family::kIpv4), IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(default_route_address(Family::kIpv6), IpAddress::parse("2001:db8::1"));
}

/// The address that the kernel would send from, and so the interface that it would choose.
std::optional<IpAddress> chosen_source(const char* destination) {
  const SocketAddress to(Endpoint{*IpAddress::parse(destination), 9});
  const UniqueFd socket(::socket(to.data()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), to.data(), to.size()) != 0) return std::nullopt;
  SocketAddress local;
  socklen_t length = SocketAddress::capacity();
  if (::getsockname(socket.get(), local.data(), &length) != 0) return std::nullopt;
  return local.endpoint()->address;
}

TEST_F(Netlink, RoutesMulticastPastAnInterfaceThatWasThereBefore) {
  ASSERT_TRUE(ok(create_veth("first", "first-far", std::nullopt)));
  ASSERT_TRUE(ok(create_veth("second", "second-far", std::nullopt)));
  for (const char* name : {"first-far", "first", "second-far", "second"}) {
    ASSERT_TRUE(ok(set_link_up(find_link(name)->index)));
  }
  const int first = find_link("first")->index;
  const int second = find_link("second")->index;
  ASSERT_TRUE(ok(add_address(first, {*IpAddress::parse("192.0.2.1"), 30})));
  ASSERT_TRUE(ok(add_address(first, {*IpAddress::parse("2001:db8:1::1"), 64})));
  ASSERT_TRUE(ok(add_route(first, {*IpAddress::parse("0.0.0.0"), 0}, IpAddress::parse("192.0.2.2"))));
  ASSERT_TRUE(ok(add_address(second, {*IpAddress::parse("192.0.2.5"), 30})));
  ASSERT_TRUE(ok(add_address(second, {*IpAddress::parse("2001:db8:2::1"), 64})));
  EXPECT_TRUE(ok(add_route(second, {*IpAddress::parse("232.0.0.0"), 8})));
  EXPECT_TRUE(ok(add_route(second, {*IpAddress::parse("ff3e::"), 32})));
  EXPECT_EQ(chosen_source("232.1.1.1"), IpAddress::parse("192.0.2.5"));
  EXPECT_EQ(chosen_source("ff3e::8000:1"), IpAddress::parse("2001:db8:2::1"));
}

TEST_F(Netlink, SwitchesTheReversePathFilter) {
  ASSERT_TRUE(ok(create_veth("near", "far", std::nullopt)));
  const int index = find_link("near")->index;
  for (const int mode : {2, 0, 1}) {
    EXPECT_TRUE(ok(set_reverse_path_filter(index, mode)));
    int seen = -1;
    // /proc/sys/net shows the namespace of the process that looks.
    std::ifstream("/proc/sys/net/ipv4/conf/near/rp_filter") >> seen;
    EXPECT_EQ(seen, mode);
  }
  EXPECT_TRUE(ok(reverse_path_filter("all")));
}

TEST_F(Netlink, MovesLinksBetweenNamespaces) {
  SysResult<NetworkNamespace> other = NetworkNamespace::create();
  ASSERT_TRUE(ok(other));
  ASSERT_TRUE(ok(create_veth("near", "far", std::nullopt)));
  EXPECT_TRUE(ok(move_link(find_link("far")->index, other->fd())));
  EXPECT_EQ(find_link("far").error().code, ENODEV);
  EXPECT_TRUE(*other->run([] { return find_link("far").has_value(); }));
  const SysResult<std::vector<LinkInfo>> links = list_links();
  ASSERT_TRUE(ok(links));
  EXPECT_EQ(links->size(), 2U);
}

TEST_F(Netlink, SaysWhatIsMissing) {
  EXPECT_EQ(find_link("nothing").error().to_string(), "find interface nothing: No such device");
  EXPECT_EQ(find_link("a-name-that-is-too-long").error().code, ENODEV);
  EXPECT_EQ(find_link("").error().code, ENODEV);
  EXPECT_EQ(set_link_up(4711).error().to_string(), "set up interface 4711: No such device");
}

TEST_F(Netlink, ListsTheAddressesOnceForManyQuestions) {
  ASSERT_TRUE(ok(create_veth("one0", "peer0", std::nullopt)));
  ASSERT_TRUE(ok(create_veth("two0", "peer1", std::nullopt)));
  const int one = find_link("one0")->index;
  const int two = find_link("two0")->index;
  for (const int index : {one, two}) ASSERT_TRUE(ok(set_link_up(index)));
  ASSERT_TRUE(ok(add_address(one, *Prefix::parse("192.0.2.1/24"))));
  LocalInterfaces local;
  EXPECT_EQ(local.towards(*IpAddress::parse("192.0.2.9")), "one0");
  EXPECT_EQ(local.towards(*IpAddress::parse("198.51.100.9")), std::nullopt);
  ASSERT_TRUE(ok(add_address(two, *Prefix::parse("198.51.100.1/24"))));
  // It has not asked again.
  EXPECT_EQ(local.towards(*IpAddress::parse("198.51.100.9")), std::nullopt);
  EXPECT_EQ(interface_towards(*IpAddress::parse("198.51.100.9")), "two0");
}

TEST(Process, ReportsHowItEnded) {
  SysResult<Process> fails = Process::spawn({.arguments = {"sh", "-c", "exit 7"}});
  ASSERT_TRUE(ok(fails));
  ASSERT_TRUE(fails->wait(seconds(10)));
  EXPECT_EQ(fails->wait(seconds(10))->code, 7);
  EXPECT_EQ(Process::spawn({.arguments = {"no-such-program-anywhere"}}).error().to_string(),
            "run no-such-program-anywhere: No such file or directory");
}

TEST(Process, WritesWhereItWasTold) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  SysResult<Process> talks = Process::spawn({.arguments = {"sh", "-c", "echo out; echo err >&2"},
                                             .standard_output = writing.get(),
                                             .standard_error = writing.get()});
  writing.reset();
  ASSERT_TRUE(ok(talks));
  EXPECT_EQ(talks->wait(seconds(10))->code, 0);
  std::array<char, 64> text{};
  EXPECT_EQ(::read(reading.get(), text.data(), text.size()), 8);
  EXPECT_STREQ(text.data(), "out\nerr\n");
}

TEST(Process, EndsWithPatienceOrWithout) {
  SysResult<Process> sleeps = Process::spawn({.arguments = {"sleep", "1000"}});
  ASSERT_TRUE(ok(sleeps));
  EXPECT_FALSE(sleeps->wait(milliseconds(10)));
  EXPECT_EQ(sleeps->terminate(seconds(10)).code, 128 + SIGTERM);
  SysResult<Process> stubborn =
      Process::spawn({.arguments = {"sh", "-c", "trap '' TERM; echo; while :; do sleep 1; done"}});
  ASSERT_TRUE(ok(stubborn));
  EXPECT_EQ(stubborn->terminate(milliseconds(0)).code, 128 + SIGKILL);
}

TEST(Process, DoesNotOutliveItsOwner) {
  pid_t id = -1;
  {
    SysResult<Process> sleeps = Process::spawn({.arguments = {"sleep", "1000"}});
    ASSERT_TRUE(ok(sleeps));
    id = sleeps->id();
    EXPECT_EQ(::kill(id, 0), 0);
  }
  EXPECT_EQ(::kill(id, 0), -1);
}

}  // namespace
}  // namespace amt
