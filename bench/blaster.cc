/// Sends datagrams at a steady pace, by one of the ways that a program has: the multicast source, and the baselines
/// that the relay is compared with.

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.hh"
#include "io/udp_socket.hh"
#include "paced_load.hh"
#include "sockets.hh"
#include "wire/message.hh"

namespace amt {
namespace {

// METHOD: sendto, stamped (sendto; the time of day ends each datagram), sendmmsg, gso. Further destinations are further
// ports after a unicast PORT, further groups after a multicast TO.
const std::string kUsage = std::string("METHOD FROM TO:PORT ") + PacedLoad::kUsage;
// Destinations of one sendmmsg call, as many as the relay's.
constexpr std::size_t kMessagesMax = 64;

UniqueFd open_socket(const Endpoint& from, bool multicast) {
  UniqueFd socket = bind_socket(from);
  if (!multicast) return socket;
  in_addr interface {};
  std::memcpy(&interface, from.address.bytes().data(), sizeof interface);
  set_option(socket.get(), IPPROTO_IP, IP_MULTICAST_IF, interface, "IP_MULTICAST_IF");
  set_option(socket.get(), IPPROTO_IP, IP_MULTICAST_TTL, int{8}, "IP_MULTICAST_TTL");
  return socket;
}

/// Sends `at_once` equal datagrams to each of some destinations; counts what the kernel refused.
class Blaster {
 public:
  Blaster(int fd, std::size_t octets, std::size_t at_once)
      // What the sink takes for AMT Data: it only looks at the first octet.
      : fd_(fd), at_once_(at_once), payload_(octets, wire::kDataHeader[0]) {
    const std::size_t pieces = std::min({at_once, kSegmentsMax, kTransmitOctetsMax / octets});
    vectors_.assign(pieces, {payload_.data(), payload_.size()});
  }
  using Method = void (Blaster::*)(std::span<SocketAddress>);

  static std::optional<Method> method(std::string_view name) {
    if (name == "sendto") return &Blaster::sendto_each;
    if (name == "stamped") return &Blaster::sendto_stamped;
    if (name == "sendmmsg") return &Blaster::sendmmsg_each;
    if (name == "gso") return &Blaster::segmented;
    return std::nullopt;
  }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

  void sendto_each(std::span<SocketAddress> to) {
    for (std::size_t i = 0; i < at_once_; ++i) {
      for (SocketAddress& one : to) {
        if (::sendto(fd_, payload_.data(), payload_.size(), 0, one.data(), one.size()) < 0) ++failed_;
      }
    }
  }
  void sendto_stamped(std::span<SocketAddress> to) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const std::int64_t stamp = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
    std::memcpy(payload_.data() + payload_.size() - sizeof stamp, &stamp, sizeof stamp);
    sendto_each(to);
  }
  void sendmmsg_each(std::span<SocketAddress> to) {
    for (std::size_t i = 0; i < at_once_; ++i) {
      for (std::size_t at = 0; at < to.size(); at += kMessagesMax) {
        send(to.subspan(at, std::min(kMessagesMax, to.size() - at)), 1);
      }
    }
  }
  /// Each destination gets one message that the kernel cuts; all point at the one payload.
  void segmented(std::span<SocketAddress> to) {
    for (std::size_t sent = 0; sent < at_once_; sent += vectors_.size()) {
      for (std::size_t at = 0; at < to.size(); at += kMessagesMax) {
        send(to.subspan(at, std::min(kMessagesMax, to.size() - at)), std::min(vectors_.size(), at_once_ - sent));
      }
    }
  }

 private:
  void send(std::span<SocketAddress> to, std::size_t pieces) {
    for (std::size_t i = 0; i < to.size(); ++i) {
      msghdr& header = messages_[i].msg_hdr;
      header = {};
      header.msg_name = to[i].data();
      header.msg_namelen = to[i].size();
      header.msg_iov = vectors_.data();
      header.msg_iovlen = pieces;
      if (pieces == 1) continue;
      header.msg_control = controls_[i].data();
      header.msg_controllen = controls_[i].size();
      cmsghdr* const control = CMSG_FIRSTHDR(&header);
      const auto octets = static_cast<std::uint16_t>(payload_.size());
      control->cmsg_level = IPPROTO_UDP;
      control->cmsg_type = UDP_SEGMENT;
      control->cmsg_len = CMSG_LEN(sizeof octets);
      std::memcpy(CMSG_DATA(control), &octets, sizeof octets);
    }
    std::size_t done = 0;
    while (done < to.size()) {
      const int sent = ::sendmmsg(fd_, messages_.data() + done, static_cast<unsigned>(to.size() - done), 0);
      if (sent <= 0) failed_ += pieces;
      done += static_cast<std::size_t>(std::max(sent, 1));
    }
  }

  int fd_;
  std::size_t at_once_;
  std::vector<std::byte> payload_;
  std::vector<iovec> vectors_;
  std::array<mmsghdr, kMessagesMax> messages_{};
  alignas(cmsghdr) std::array<std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t))>, kMessagesMax> controls_{};
  std::uint64_t failed_ = 0;
};

}  // namespace
}  // namespace amt

int main(int count, char** values) {
  amt::Arguments arguments(count, values, 3 + amt::PacedLoad::kArguments, amt::kUsage.c_str());
  const auto method = amt::Blaster::method(arguments.text());
  const amt::Endpoint from = arguments.endpoint();
  const amt::Endpoint first = arguments.endpoint();
  const amt::PacedLoad load = amt::PacedLoad::take(arguments);
  if (!method || load.octets < sizeof(std::int64_t)) amt::Arguments::fail("usage", amt::kUsage.c_str());

  const amt::UniqueFd socket = amt::open_socket(from, first.address.is_multicast());
  std::vector<amt::SocketAddress> addresses;
  for (std::uint32_t i = 0; i < load.destinations(); ++i) addresses.push_back(amt::destination(first, i));
  amt::Blaster blaster(socket.get(), load.octets, load.at_once);
  load.run([&](std::size_t to) { (blaster.**method)(std::span(addresses).subspan(to, load.each)); }, [] {},
           [&] { return blaster.failed(); });
}
