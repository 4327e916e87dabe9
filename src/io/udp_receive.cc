// <linux/errqueue.h> needs timespec and does not say so.
#include <ctime>

#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "io/control_message.hh"
#include "io/peer_error.hh"
#include "io/udp_socket.hh"
#include "sys/socket_address.hh"

namespace amt {
namespace {

constexpr std::size_t kSlotOctets = 65'535;
/// Whole cache lines, and odd against the page size: slots that all began at the same page offset would share the same
/// few sets of the first-level cache.
constexpr std::size_t kSlotStride = 65'536 + 3 * 64;
/// The octets of about one call: they are read again soon, and should still be in the cache then. A merged message
/// fills it.
constexpr std::size_t kOctetsAtOnce = 64 * 1024;
/// ECN and UDP_GRO: one int each.
constexpr std::size_t kControlOctets = 2 * CMSG_SPACE(sizeof(int));
/// An extended error with the offender's address, and the other three.
constexpr std::size_t kErrorControlOctets =
    CMSG_SPACE(sizeof(sock_extended_err) + sizeof(sockaddr_in6)) + kControlOctets;
/// Peers can cause errors as fast as datagrams are sent. A call handles this many and leaves the rest for the next.
constexpr int kErrorsPerCallMax = 1024;
/// Each try consumes one pending error.
constexpr int kReceiveTriesMax = 16;

struct Control {
  alignas(cmsghdr) std::array<std::byte, kControlOctets> octets{};
};

bool is_unreachable(const sock_extended_err& error) {
  if (error.ee_origin == SO_EE_ORIGIN_ICMP)
    return error.ee_type == ICMP_DEST_UNREACH && error.ee_code != ICMP_FRAG_NEEDED;
  return error.ee_origin == SO_EE_ORIGIN_ICMP6 && error.ee_type == ICMP6_DST_UNREACH;
}

}  // namespace

struct ReceiveBatch::Impl {
  explicit Impl(std::size_t slots)
      // Uninitialised: the pages of a slot come into being when a datagram reaches them.
      : memory(std::make_unique_for_overwrite<std::byte[]>(slots * kSlotStride)),
        headers(slots),
        addresses(slots),
        controls(slots),
        vectors(slots),
        received(slots) {
    for (std::size_t i = 0; i < slots; ++i) {
      vectors[i] = {memory.get() + i * kSlotStride, kSlotOctets};
      msghdr& header = headers[i].msg_hdr;
      header.msg_name = addresses[i].data();
      header.msg_iov = &vectors[i];
      header.msg_iovlen = 1;
      header.msg_control = controls[i].octets.data();
    }
  }

  /// Those to be filled next.
  std::span<mmsghdr> rearm() {
    count = 0;
    const std::span<mmsghdr> next = std::span(headers).first(at_once);
    for (mmsghdr& message : next) {
      message.msg_hdr.msg_namelen = SocketAddress::capacity();
      message.msg_hdr.msg_controllen = kControlOctets;
    }
    return next;
  }
  /// The next messages will be like the last ones: as many octets in as many messages.
  void expect_like(std::size_t octets, std::size_t messages) {
    at_once = std::clamp<std::size_t>(kOctetsAtOnce * messages / std::max<std::size_t>(octets, 1), 1, headers.size());
  }

  std::unique_ptr<std::byte[]> memory;
  std::vector<mmsghdr> headers;
  std::vector<SocketAddress> addresses;
  std::vector<Control> controls;
  std::vector<iovec> vectors;
  std::vector<Received> received;
  std::size_t count = 0;
  /// Slots in use: few when each holds a lot.
  std::size_t at_once = headers.size();
};

ReceiveBatch::ReceiveBatch(std::size_t slots) : impl_(std::make_unique<Impl>(slots)) {}
ReceiveBatch::~ReceiveBatch() = default;
ReceiveBatch::ReceiveBatch(ReceiveBatch&&) noexcept = default;
ReceiveBatch& ReceiveBatch::operator=(ReceiveBatch&&) noexcept = default;
std::span<const Received> ReceiveBatch::received() const { return std::span(impl_->received).first(impl_->count); }

SysResult<std::size_t> UdpSocket::receive(ReceiveBatch& batch) {
  ReceiveBatch::Impl& slots = *batch.impl_;
  const std::span<mmsghdr> messages = slots.rearm();
  int got = -1;
  for (int tries = 0; got < 0 && tries < kReceiveTriesMax; ++tries) {
    got = ::recvmmsg(fd_.get(), messages.data(), static_cast<unsigned>(messages.size()), 0, nullptr);
    if (got >= 0 || errno == EINTR || concerns_one_peer(errno)) continue;
    if (errno == EAGAIN) return 0;
    return tl::unexpected(SysError::last("recvmmsg", local_.to_string()));
  }
  std::size_t octets = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(got, 0)); ++i) {
    msghdr& header = messages[i].msg_hdr;
    octets += messages[i].msg_len;
    const std::optional<Endpoint> from = slots.addresses[i].endpoint();
    if (!from) continue;
    Received& received = slots.received[slots.count++];
    received = {*from, {slots.memory.get() + i * kSlotStride, messages[i].msg_len}, 0, Ecn::kNotEct};
    for (const cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, const_cast<cmsghdr*>(c))) {
      if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
        // One octet here, an int over IPv6.
        received.ecn = static_cast<Ecn>(control_value<std::uint8_t>(*c).value_or(0) & 3);
      } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
        received.ecn = static_cast<Ecn>(control_value<int>(*c).value_or(0) & 3);
      } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
        received.segment_octets = static_cast<std::size_t>(std::max(0, control_value<int>(*c).value_or(0)));
      }
    }
  }
  if (got > 0) slots.expect_like(octets, static_cast<std::size_t>(got));
  return slots.count;
}

std::uint64_t UdpSocket::receive_drops() const {
  // Not by SO_RXQ_OVFL: that is a control message more with each datagram.
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t octets = sizeof memory;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_MEMINFO, memory.data(), &octets) != 0) return 0;
  return memory[SK_MEMINFO_DROPS];
}

void UdpSocket::poll_errors(const std::function<void(const SocketError&)>& visit) {
  alignas(cmsghdr) std::array<std::byte, kErrorControlOctets> control;
  for (int i = 0; i < kErrorsPerCallMax; ++i) {
    SocketAddress to;
    SocketError told;
    iovec quote{told.quote_octets.data(), told.quote_octets.size()};
    msghdr header{};
    header.msg_iov = &quote;
    header.msg_iovlen = 1;
    header.msg_name = to.data();
    header.msg_namelen = SocketAddress::capacity();
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t quoted = ::recvmsg(fd_.get(), &header, MSG_ERRQUEUE);
    if (quoted < 0) return;
    const std::optional<Endpoint> peer = to.endpoint();
    if (!peer) continue;
    for (const cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, const_cast<cmsghdr*>(c))) {
      const bool is_error = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
                            (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
      const std::optional<sock_extended_err> error = control_value<sock_extended_err>(*c);
      if (!is_error || !error || error->ee_errno == 0) continue;
      told.to = *peer;
      told.code = static_cast<int>(error->ee_errno);
      told.mtu_octets = told.code == EMSGSIZE ? error->ee_info : 0;
      told.is_unreachable = is_unreachable(*error);
      told.from_network = error->ee_origin != SO_EE_ORIGIN_LOCAL;
      told.quote_length = static_cast<std::size_t>(quoted);
      visit(told);
    }
  }
}

}  // namespace amt
