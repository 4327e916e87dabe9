#include "sys/descriptor_channel.hh"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/assert.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

/// Room for the descriptors of a message, aligned for its header.
struct ControlBuffer {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(DescriptorChannel::kDescriptorsMax * sizeof(int))> octets{};
};

int send_with(int socket, Bytes octets, std::span<const int> descriptors) {
  // sendmsg() only reads.
  iovec part{const_cast<std::byte*>(octets.data()), octets.size()};
  ControlBuffer control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.octets.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ? 0 : errno;
}

void take_descriptors(msghdr& message, std::vector<UniqueFd>& out) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    std::vector<int> numbers((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(numbers.data(), CMSG_DATA(header), numbers.size() * sizeof(int));
    for (const int number : numbers) out.emplace_back(number);
  }
}

/// False: the time is over.
bool await_readable(int fd, Instant until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - monotonic_now());
    pollfd wanted{fd, POLLIN, 0};
    if (::poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) > 0) return true;
    if (monotonic_now() >= until) return false;
  }
}

}  // namespace

SysResult<std::pair<DescriptorChannel, DescriptorChannel>> DescriptorChannel::pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    return tl::unexpected(SysError::last("socketpair"));
  }
  return std::pair(DescriptorChannel(UniqueFd(ends[0])), DescriptorChannel(UniqueFd(ends[1])));
}

SysResult<void> DescriptorChannel::send(Bytes octets, std::span<const int> descriptors) {
  return send_message(fd_.get(), octets, descriptors);
}

SysResult<void> send_message(int socket, Bytes octets, std::span<const int> descriptors) {
  AMT_ASSERT(!octets.empty() && octets.size() <= DescriptorChannel::kOctetsMax &&
             descriptors.size() <= DescriptorChannel::kDescriptorsMax);
  if (const int error = send_with(socket, octets, descriptors); error != 0) {
    return tl::unexpected(SysError{"hand over descriptors", {}, error});
  }
  return {};
}

SysResult<std::optional<DescriptorMessage>> DescriptorChannel::receive(Duration patience) {
  return receive_message(fd_.get(), kOctetsMax, patience);
}

SysResult<std::optional<DescriptorMessage>> receive_message(int socket, std::size_t octets_max, Duration patience) {
  const auto fail = [](int code) { return tl::unexpected(SysError{"take over descriptors", {}, code}); };
  DescriptorMessage got;
  got.octets.resize(octets_max);
  iovec part{got.octets.data(), got.octets.size()};
  ControlBuffer control;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.octets.data();
  message.msg_controllen = control.octets.size();
  if (!await_readable(socket, monotonic_now() + patience)) return fail(ETIMEDOUT);
  const ssize_t octets = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (octets < 0 && errno == ECONNRESET) return std::optional<DescriptorMessage>();
  if (octets < 0) return fail(errno);
  take_descriptors(message, got.descriptors);
  if ((message.msg_flags & MSG_CTRUNC) != 0) return fail(EMFILE);
  if ((message.msg_flags & MSG_TRUNC) != 0) return fail(EMSGSIZE);
  if (octets == 0) return std::optional<DescriptorMessage>();
  got.octets.resize(static_cast<std::size_t>(octets));
  return std::optional(std::move(got));
}

SysResult<PeerIdentity> peer_identity(int socket) {
  ucred peer{};
  socklen_t octets = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &octets) != 0) {
    return tl::unexpected(SysError::last("getsockopt SO_PEERCRED"));
  }
  return PeerIdentity{peer.uid, peer.pid};
}

}  // namespace amt
