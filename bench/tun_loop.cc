/// The gateway's data path as anyone would write it first: one recvfrom, one write to a TUN interface, for each packet;
/// or as it is written second, with recvmmsg. The baselines of `amt gateway`. Prints `ready` when the interface exists.

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "arguments.hh"
#include "sockets.hh"
#include "wire/message.hh"

namespace amt {
namespace {

constexpr std::size_t kSlotOctets = 2048;

UniqueFd open_tun(std::string_view name) {
  UniqueFd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(tun.get(), TUNSETIFF, &request) != 0) Arguments::fail("TUNSETIFF", std::strerror(errno));
  return tun;
}

void write_inner(int tun, const std::byte* message, std::size_t octets) {
  if (octets <= wire::kDataHeaderOctets) return;
  // What the interface refuses is lost, as in any loop of this kind.
  static_cast<void>(!::write(tun, message + wire::kDataHeaderOctets, octets - wire::kDataHeaderOctets));
}

[[noreturn]] void run_singly(int in, int tun) {
  std::array<std::byte, kSlotOctets> buffer{};
  for (;;) {
    sockaddr_storage peer{};
    socklen_t peer_octets = sizeof peer;
    const ssize_t octets =
        ::recvfrom(in, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&peer), &peer_octets);
    if (octets > 0) write_inner(tun, buffer.data(), static_cast<std::size_t>(octets));
  }
}

[[noreturn]] void run_batched(int in, int tun, std::size_t at_once) {
  std::vector<std::byte> memory(at_once * kSlotOctets);
  std::vector<sockaddr_storage> peers(at_once);
  std::vector<iovec> slots(at_once);
  std::vector<mmsghdr> messages(at_once);
  for (;;) {
    for (std::size_t i = 0; i < at_once; ++i) {
      slots[i] = {memory.data() + i * kSlotOctets, kSlotOctets};
      messages[i].msg_hdr = {};
      messages[i].msg_hdr.msg_name = &peers[i];
      messages[i].msg_hdr.msg_namelen = sizeof peers[i];
      messages[i].msg_hdr.msg_iov = &slots[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int got = ::recvmmsg(in, messages.data(), static_cast<unsigned>(at_once), MSG_WAITFORONE, nullptr);
    for (int i = 0; i < got; ++i) {
      const auto at = static_cast<std::size_t>(i);
      write_inner(tun, memory.data() + at * kSlotOctets, messages[at].msg_len);
    }
  }
}

}  // namespace
}  // namespace amt

int main(int count, char** values) {
  amt::Arguments arguments(count, values, 3, "LOCAL:PORT INTERFACE DATAGRAMS_AT_ONCE");
  const amt::UniqueFd in = amt::bind_socket(arguments.endpoint());
  const amt::UniqueFd tun = amt::open_tun(arguments.text());
  const auto at_once = arguments.number<std::size_t>();
  std::puts("ready");
  std::fflush(stdout);
  if (at_once == 1) amt::run_singly(in.get(), tun.get());
  amt::run_batched(in.get(), tun.get(), at_once);
}
