#pragma once
/// Which of several workers an endpoint belongs to, decided alike by the kernel and by us.

#include <cstdint>
#include <vector>

#include "base/random.hh"
#include "io/udp_socket.hh"

namespace amt {

/// An endpoint always meets the same worker, at any local address: the kernel runs `worker_of` as a filter program over
/// each datagram's source (SO_ATTACH_REUSEPORT_CBPF) to choose among the sockets of one address. It cannot always: a
/// datagram with IPv6 extension headers, the first moments after `bind`, an ICMP error (which the kernel delivers
/// without asking the program). So a worker checks each datagram, and hands over those of another worker. Keyed, so
/// that an outsider cannot aim at one worker. Constant; any thread.
class Steering {
 public:
  static constexpr std::size_t kWorkersMax = 256;

  /// `workers`: 1 to `kWorkersMax`.
  Steering(std::size_t workers, Random& random);
  /// The one of another process, whose sockets this one goes on with.
  Steering(std::size_t workers, std::uint32_t key);

  [[nodiscard]] std::size_t workers() const { return workers_; }
  [[nodiscard]] std::uint32_t key() const { return key_; }
  [[nodiscard]] std::size_t worker_of(const Endpoint& endpoint) const;

  /// One socket for each worker, in their order, bound to `local`. The port is shared among these alone: error
  /// EADDRINUSE when anyone has it, also a program that would share it.
  [[nodiscard]] SysResult<std::vector<UdpSocket>> bind(const Endpoint& local, const UdpOptions& options) const;

 private:
  [[nodiscard]] SysResult<void> attach(const UdpSocket& socket) const;

  std::size_t workers_;
  std::uint32_t key_;
};

}  // namespace amt
