#include "engine/gateway/lan_downstream.hh"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>

#include "engine/gateway/lan_link.hh"
#include "ip/udp.hh"
#include "sys/clock.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

/// What the test and the link both see.
struct Scene {
  int opened = 0;
  int closed = 0;
  std::size_t takes = SIZE_MAX;
};

/// Cannot be read; takes so many datagrams.
class BrokenLink final : public LanLink {
 public:
  explicit BrokenLink(Scene& scene) : scene_(scene) {}

  const std::string& interface() const override { return name_; }
  const char* kind() const override { return "lan"; }
  bool is_routed() const override { return true; }
  SysResult<void> open() override {
    ++scene_.opened;
    readable_ = UniqueFd(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
    return {};
  }
  void close() override {
    ++scene_.closed;
    readable_.reset();
  }
  bool is_open() const override { return static_cast<bool>(readable_); }
  int fd() const override { return readable_.get(); }
  SysResult<State> state() override {
    State state;
    state.up = true;
    state.mtu_octets = 1500;
    state.ipv4 = IpAddress::parse("192.0.2.1");
    return state;
  }
  SysResult<std::span<const Bytes>> receive() override { return Unexpected<SysError>(SysError{"read", name_, EIO}); }
  Taken send(std::span<const SplitDatagram> datagrams) override {
    Taken taken;
    for (const SplitDatagram& datagram : datagrams.first(std::min(datagrams.size(), scene_.takes))) {
      ++taken.datagrams;
      taken.octets += datagram.size();
    }
    return taken;
  }

 private:
  Scene& scene_;
  std::string name_ = "lan0";
  UniqueFd readable_;
};

class LanDownstreamOf : public ::testing::Test {
 protected:
  LanDownstreamOf() {
    auto link = std::make_unique<BrokenLink>(scene_);
    EXPECT_TRUE(link->open());
    LanDownstreamOptions options;
    options.forward_always = true;
    downstream_ = make_lan_downstream(loop_, std::move(link), options, {});
  }
  void run_for(Duration duration) {
    Timer end(loop_, [this] { loop_.stop(); });
    end.set(monotonic_now() + duration);
    loop_.run();
  }

  EventLoop loop_;
  Scene scene_;
  std::unique_ptr<Downstream> downstream_;
};

TEST_F(LanDownstreamOf, ALinkThatCannotBeReadIsClosedAndNobodyNeedsToHearOfIt) {
  downstream_->start([](std::span<const FilterChange>) {});
  run_for(std::chrono::milliseconds(20));
  EXPECT_EQ(scene_.opened, 1);
  EXPECT_EQ(scene_.closed, 1);
  EXPECT_FALSE(downstream_->info().up);
  downstream_->stop();
}

TEST_F(LanDownstreamOf, CountsTheOctetsThatTheLinkHasTaken) {
  downstream_->start([](std::span<const FilterChange>) {});
  std::array<std::byte, 128> octets{};
  HeaderFields header;
  header.source = *IpAddress::parse("198.51.100.1");
  header.destination = *IpAddress::parse("232.1.2.3");
  header.protocol = kProtocolUdp;
  header.hop_limit = 9;
  const std::size_t length = write_udp_datagram(octets, header, 4000, 5000, std::array<std::byte, 50>{});
  const std::array<Bytes, 3> datagrams = {Bytes(octets).first(length), Bytes(octets).first(length),
                                          Bytes(octets).first(length)};
  scene_.takes = 1;
  downstream_->send(datagrams);
  const DownstreamInfo info = downstream_->info();
  EXPECT_EQ(info.packets, 1U);
  EXPECT_EQ(info.bytes, length);
  EXPECT_EQ(info.drops, 2U);
  downstream_->stop();
}

}  // namespace
}  // namespace amt
