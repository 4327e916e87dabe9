#include "sys/local_address.hh"

#include <sys/socket.h>

#include <cerrno>

#include "sys/socket_address.hh"
#include "sys/unique_fd.hh"

namespace amt {

bool can_bind(const IpAddress& address) {
  const UniqueFd socket(::socket(address_family(address.family()), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return true;
  const SocketAddress local(Endpoint{address, 0});
  return ::bind(socket.get(), local.data(), local.size()) == 0 || errno != EADDRNOTAVAIL;
}

}  // namespace amt
