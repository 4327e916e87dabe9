/// The least that a program does which receives: recvmmsg, and nothing with what comes. The baseline of `amt receive`.
/// Prints `ready` when the socket is there.

#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <vector>

#include "arguments.hh"
#include "sockets.hh"

int main(int count, char** values) {
  constexpr std::size_t kAtOnce = 64;
  constexpr std::size_t kSlotOctets = 2048;
  amt::Arguments arguments(count, values, 1, "LOCAL:PORT");
  const amt::UniqueFd in = amt::bind_socket(arguments.endpoint());
  std::vector<std::byte> memory(kAtOnce * kSlotOctets);
  std::array<iovec, kAtOnce> slots{};
  std::array<mmsghdr, kAtOnce> messages{};
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    slots[i] = {memory.data() + i * kSlotOctets, kSlotOctets};
    messages[i].msg_hdr.msg_iov = &slots[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  // Waits for the first of each call, takes what else is there.
  while (::recvmmsg(in.get(), messages.data(), kAtOnce, MSG_WAITFORONE, nullptr) >= 0) {
  }
}
