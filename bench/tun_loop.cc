/// The gateway's data path as anyone would write it first: one recvfrom, one write to a TUN interface, for each packet.
/// The baseline of `amt gateway`. Prints `ready` when the interface exists.

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "arguments.hh"
#include "sockets.hh"
#include "wire/message.hh"

int main(int count, char** values) {
  amt::Arguments arguments(count, values, 2, "LOCAL:PORT INTERFACE");
  const amt::UniqueFd in = amt::bind_socket(arguments.endpoint());

  const amt::UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  arguments.text().copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(tun.get(), TUNSETIFF, &request) != 0) amt::Arguments::fail("TUNSETIFF", std::strerror(errno));
  std::puts("ready");
  std::fflush(stdout);

  std::array<std::byte, 2048> buffer{};
  for (;;) {
    sockaddr_storage peer{};
    socklen_t peer_octets = sizeof peer;
    const ssize_t octets =
        ::recvfrom(in.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&peer), &peer_octets);
    if (octets <= static_cast<ssize_t>(amt::wire::kDataHeaderOctets)) continue;
    const amt::Bytes datagram =
        amt::Bytes(buffer).first(static_cast<std::size_t>(octets)).subspan(amt::wire::kDataHeaderOctets);
    // What the interface refuses is lost, as in any loop of this kind.
    if (::write(tun.get(), datagram.data(), datagram.size()) < 0) continue;
  }
}
