#pragma once
/// For tests: a LAN link in memory. What is put on it can be read, and what is sent by it is kept.

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "engine/gateway/lan_link.hh"
#include "sys/unique_fd.hh"

namespace amt::test {

/// The world around the link; outlives it.
struct LanScene {
  LanScene() {
    state.up = true;
    state.mtu_octets = 1500;
    state.ipv4 = IpAddress::parse("192.0.2.10");
    state.addresses = {*Prefix::parse("192.0.2.10/24")};
  }

  /// A datagram that arrives.
  void put(std::vector<std::byte> datagram) {
    arrived.push_back(std::move(datagram));
    wake();
  }
  /// Reading fails from now on.
  void break_reading() {
    is_broken = true;
    wake();
  }
  void wake() const {
    const std::uint64_t one = 1;
    if (readable && ::write(readable.get(), &one, sizeof one) < 0) std::abort();
  }

  LanLink::State state;
  /// Nobody can say what state the link is in.
  bool has_no_state = false;
  /// An interface of that name is there.
  bool can_open = true;
  bool is_routed = true;
  bool is_broken = false;
  int opened = 0;
  int closed = 0;
  /// So many datagrams it takes of each `send`.
  std::size_t takes = SIZE_MAX;
  std::deque<std::vector<std::byte>> arrived;
  std::vector<std::vector<std::byte>> sent;
  UniqueFd readable;
};

class LanLinkTwin final : public LanLink {
 public:
  explicit LanLinkTwin(LanScene& scene) : scene_(scene) {}

  const std::string& interface() const override { return name_; }
  const char* kind() const override { return "lan"; }
  bool is_routed() const override { return scene_.is_routed; }
  SysResult<void> open() override {
    if (!scene_.can_open) return Unexpected<SysError>(SysError{"open", name_, ENODEV});
    ++scene_.opened;
    scene_.readable = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    return {};
  }
  void close() override {
    ++scene_.closed;
    scene_.readable.reset();
  }
  bool is_open() const override { return static_cast<bool>(scene_.readable); }
  int fd() const override { return scene_.readable.get(); }
  NamedDescriptor::Kind descriptor_kind() const override { return NamedDescriptor::Kind::kLan; }
  SysResult<State> state() override {
    if (scene_.has_no_state) return Unexpected<SysError>(SysError{"state", name_, EIO});
    return scene_.state;
  }
  SysResult<std::span<const Bytes>> receive() override {
    std::uint64_t count = 0;
    if (::read(scene_.readable.get(), &count, sizeof count) < 0 && errno != EAGAIN) std::abort();
    if (scene_.is_broken) return Unexpected<SysError>(SysError{"read", name_, EIO});
    held_.assign(scene_.arrived.begin(), scene_.arrived.end());
    scene_.arrived.clear();
    received_.assign(held_.begin(), held_.end());
    return std::span<const Bytes>(received_);
  }
  Taken send(std::span<const SplitDatagram> datagrams) override {
    Taken taken;
    for (const SplitDatagram& datagram : datagrams.first(std::min(datagrams.size(), scene_.takes))) {
      std::vector<std::byte> whole(datagram.head.begin(), datagram.head.end());
      whole.insert(whole.end(), datagram.tail.begin(), datagram.tail.end());
      scene_.sent.push_back(std::move(whole));
      ++taken.datagrams;
      taken.octets += datagram.size();
    }
    return taken;
  }

 private:
  LanScene& scene_;
  std::string name_ = "lan0";
  std::vector<std::vector<std::byte>> held_;
  std::vector<Bytes> received_;
};

}  // namespace amt::test
