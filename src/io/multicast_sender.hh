#pragma once
/// Sending to one multicast group on a real interface: the test source.

#include <cstdint>
#include <optional>
#include <string>

#include "amt/endpoint.hh"
#include "base/byte_reader.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

struct MulticastSenderOptions {
  Endpoint group;
  /// Not given: the kernel's choice by its routes.
  std::optional<std::string> interface;
  std::optional<IpAddress> source;
  std::uint8_t ttl = 1;
};

/// Blocking: a full send buffer makes `send` wait. Listeners on this host receive the datagrams, too
/// (IP_MULTICAST_LOOP). Datagrams above the interface's MTU are fragmented; DF=0. ICMP errors change nothing. Not
/// thread-safe.
class MulticastSender {
 public:
  /// Errors: `interface` and ENODEV; `bind`, the source and EADDRNOTAVAIL; `connect` and ENETUNREACH (no route) or
  /// EADDRNOTAVAIL (no address to send from).
  static SysResult<MulticastSender> open(const MulticastSenderOptions& options);

  /// Where the datagrams come from.
  [[nodiscard]] const Endpoint& local() const { return local_; }
  SysResult<void> send(Bytes payload);

 private:
  MulticastSender(UniqueFd fd, Endpoint local, Endpoint group) : fd_(std::move(fd)), local_(local), group_(group) {}
  UniqueFd fd_;
  Endpoint local_;
  Endpoint group_;
};

}  // namespace amt
