#include "demo/network.hh"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "demo/packet_capture.hh"
#include "demo/plan.hh"
#include "demo/ticker.hh"
#include "demo/tunnel_log.hh"
#include "sys/socket_address.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

class DemoNetworkTest : public InTestNamespace {
 protected:
  void SetUp() override {
    InTestNamespace::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    SysResult<DemoNetwork> built = DemoNetwork::build();
    ASSERT_TRUE(ok(built));
    network_ = std::move(*built);
    for (int i = 0; i < 1000 && !network_->links_ready(); ++i) ::poll(nullptr, 0, 5);
    ASSERT_TRUE(network_->links_ready());
  }
  std::optional<DemoNetwork> network_;
};

SysResult<UniqueFd> bound_socket(const NetworkNamespace& place, const IpAddress& address) {
  SysResult<UniqueFd> bound = tl::unexpected(SysError{});
  static_cast<void>(place.run([&] {
    const SocketAddress local(Endpoint{address, 2268});
    UniqueFd socket(::socket(address_family(address.family()), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (::bind(socket.get(), local.data(), local.size()) != 0) {
      bound = tl::unexpected(SysError::last("bind", address.to_string()));
    } else {
      bound = std::move(socket);
    }
  }));
  return bound;
}

/// Sent from one and received by the other.
bool says_hello(const UniqueFd& from, const IpAddress& to, const UniqueFd& at) {
  const SocketAddress destination(Endpoint{to, 2268});
  std::array<char, 5> text = {'h', 'e', 'l', 'l', 'o'};
  if (::sendto(from.get(), text.data(), text.size(), 0, destination.data(), destination.size()) != 5) return false;
  pollfd readable{at.get(), POLLIN, 0};
  return ::poll(&readable, 1, 5000) == 1 && ::recv(at.get(), text.data(), text.size(), MSG_DONTWAIT) == 5;
}

TEST_F(DemoNetworkTest, LeadsFromEveryHostToTheRelay) {
  for (std::size_t i = 0; i < 2; ++i) {
    const FamilyPlan& plan = family_plans()[i];
    for (const IpAddress& relay : {plan.relay, plan.discovery}) {
      const SysResult<UniqueFd> at_relay = bound_socket(network_->relay, relay);
      const SysResult<UniqueFd> at_gateway = bound_socket(network_->gateways[i], plan.gateway);
      const SysResult<UniqueFd> at_receiver = bound_socket(network_->receiver, plan.receiver);
      ASSERT_TRUE(ok(at_relay) && ok(at_gateway) && ok(at_receiver));
      EXPECT_TRUE(says_hello(*at_gateway, relay, *at_relay)) << plan.name;
      EXPECT_TRUE(says_hello(*at_relay, plan.gateway, *at_gateway)) << plan.name;
      EXPECT_TRUE(says_hello(*at_receiver, relay, *at_relay)) << plan.name;
      EXPECT_TRUE(says_hello(*at_relay, plan.receiver, *at_receiver)) << plan.name;
    }
  }
}

TEST_F(DemoNetworkTest, HasGatewayHostsOfOneFamilyEach) {
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(
        *network_->gateways[i].run([&] { return default_route_address(family_plans()[i].family()).has_value(); }));
    EXPECT_FALSE(
        *network_->gateways[i].run([&] { return default_route_address(family_plans()[1 - i].family()).has_value(); }));
  }
}

TEST_F(DemoNetworkTest, BringsTheSourcesMulticastToTheRelayAndNoFurther) {
  SysResult<PacketCapture> at_source = PacketCapture::open(network_->source);
  SysResult<PacketCapture> at_relay = PacketCapture::open(network_->relay);
  SysResult<PacketCapture> at_receiver = PacketCapture::open(network_->receiver);
  ASSERT_TRUE(ok(at_source) && ok(at_relay) && ok(at_receiver));
  for (const FamilyPlan& plan : family_plans()) {
    SysResult<Ticker> ticker = Ticker::open(network_->source, plan);
    ASSERT_TRUE(ok(ticker));
    ticker->tick();
    // The log asks for a port; the ticks go to the one below.
    const auto port = static_cast<std::uint16_t>(plan.port - 1);
    TunnelLog source_log(plan.channel, port, plan.family());
    TunnelLog relay_log(plan.channel, port, plan.family());
    TunnelLog receiver_log(plan.channel, port, plan.family());
    const auto into = [](TunnelLog& log) {
      return [&log](const SeenDatagram& seen) { log.handle(seen.at, seen.outgoing, seen.bytes); };
    };
    at_source->drain(into(source_log));
    at_relay->drain(into(relay_log));
    at_receiver->drain(into(receiver_log));
    EXPECT_EQ(source_log.stream_native(), 1U) << plan.name;
    EXPECT_EQ(relay_log.stream_native(), 1U) << plan.name;
    EXPECT_EQ(receiver_log.stream_native(), 0U) << plan.name;
    ASSERT_TRUE(source_log.first_native() && relay_log.first_native());
    EXPECT_LE(*source_log.first_native(), *relay_log.first_native()) << "one clock for all namespaces";
  }
  EXPECT_EQ(at_relay->drops(), 0U);
}

}  // namespace
}  // namespace amt
