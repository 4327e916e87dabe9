#include "sys/host_lookup.hh"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "sys/socket_address.hh"

namespace amt {

Result<std::vector<IpAddress>, std::string> look_up_host(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* first = nullptr;
  if (const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &first); error != 0) {
    return Unexpected<std::string>(error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(first, &::freeaddrinfo);
  std::vector<IpAddress> addresses;
  for (const addrinfo* entry = first; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    if (entry->ai_addrlen > SocketAddress::capacity()) continue;
    std::memcpy(address.data(), entry->ai_addr, entry->ai_addrlen);
    const std::optional<Endpoint> endpoint = address.endpoint();
    if (!endpoint || std::find(addresses.begin(), addresses.end(), endpoint->address) != addresses.end()) continue;
    addresses.push_back(endpoint->address);
  }
  if (addresses.empty()) return Unexpected<std::string>("it has no IPv4 or IPv6 address");
  return addresses;
}

}  // namespace amt
