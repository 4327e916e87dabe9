#include "sys/socket_address.hh"

#include <cstring>

namespace amt {

SocketAddress::SocketAddress(const Endpoint& endpoint) {
  const std::span<const std::byte> octets = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    storage_.v4.sin_family = AF_INET;
    storage_.v4.sin_port = htons(endpoint.port);
    std::memcpy(&storage_.v4.sin_addr, octets.data(), octets.size());
  } else {
    storage_.v6.sin6_family = AF_INET6;
    storage_.v6.sin6_port = htons(endpoint.port);
    std::memcpy(&storage_.v6.sin6_addr, octets.data(), octets.size());
  }
}

std::optional<Endpoint> SocketAddress::endpoint() const {
  if (storage_.any.sa_family == AF_INET) {
    return Endpoint{IpAddress::from_v4(ntohl(storage_.v4.sin_addr.s_addr)), ntohs(storage_.v4.sin_port)};
  }
  if (storage_.any.sa_family == AF_INET6) {
    return Endpoint{IpAddress::from_bytes(std::as_bytes(std::span(storage_.v6.sin6_addr.s6_addr))),
                    ntohs(storage_.v6.sin6_port)};
  }
  return std::nullopt;
}

socklen_t SocketAddress::size() const { return storage_.any.sa_family == AF_INET ? sizeof(sockaddr_in) : capacity(); }

}  // namespace amt
