#pragma once
/// The sending half of `UdpSocket`.

#include <sys/uio.h>

#include <array>
#include <set>
#include <vector>

#include "io/udp_socket.hh"
#include "sys/socket_address.hh"

namespace amt {

/// Reusable memory for sendmmsg, and the paths whose device or policy refuses UDP_SEGMENT.
struct UdpSocket::Sender {
 public:
  Sender();
  std::size_t send(int fd, std::span<const Transmit> messages, const OnSendError& on_error);

 private:
  /// Messages for one sendmmsg: enough to make the crossing cheap, few enough to stay in the cache.
  static constexpr std::size_t kChunkMessages = 128;
  /// Destinations that are known to refuse UDP_SEGMENT; when full it is emptied and learned anew.
  static constexpr std::size_t kRefusingMax = 4096;

  struct Control {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(std::uint16_t))> octets{};
  };

  void prepare(std::span<const Transmit> chunk);
  static void set_control(msghdr& header, Control& control, const Transmit& message, bool segmented);
  /// How many of the chunk went out; when not all, `code` is why the next one did not.
  std::size_t send_chunk(int fd, std::span<const Transmit> chunk, int& code);
  /// One by one, without the kernel's cutting: 0, EAGAIN once the socket is full, or the first error. `unsent`: as in
  /// `SendFailure`.
  int send_apart(int fd, const Transmit& message, std::uint64_t& unsent);

  std::vector<mmsghdr> headers_;
  std::vector<SocketAddress> addresses_;
  std::vector<Control> controls_;
  std::vector<iovec> vectors_;
  /// Where the pieces of each message begin in `vectors_`.
  std::vector<std::size_t> first_vector_;
  std::set<IpAddress> refusing_;
};

}  // namespace amt
