#pragma once
/// `Endpoint` in the form that socket calls take.

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include "amt/endpoint.hh"

namespace amt {

/// A sockaddr_in or a sockaddr_in6. Zones (`%eth0`) are not represented: link-local peers are out of scope.
class SocketAddress {
 public:
  /// Room for either family, to be filled by a call.
  SocketAddress() = default;
  explicit SocketAddress(const Endpoint& endpoint);

  /// Nothing when the family is neither IPv4 nor IPv6.
  [[nodiscard]] std::optional<Endpoint> endpoint() const;

  [[nodiscard]] sockaddr* data() { return &storage_.any; }
  [[nodiscard]] const sockaddr* data() const { return &storage_.any; }
  /// Octets in use; the capacity before a call has filled it.
  [[nodiscard]] socklen_t size() const;
  [[nodiscard]] static constexpr socklen_t capacity() { return sizeof(sockaddr_in6); }

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6{};
  } storage_;
};

/// AF_INET, AF_INET6.
[[nodiscard]] constexpr int address_family(Family family) { return family == Family::kIpv4 ? AF_INET : AF_INET6; }

}  // namespace amt
