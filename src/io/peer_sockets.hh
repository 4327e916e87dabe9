#pragma once
/// Very many UDP sockets, all connected to one peer, each with a port of its own.

#include <functional>
#include <span>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "base/byte_reader.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// A `UdpSocket` has memory for batches to many peers; these have one descriptor each, and an epoll over all of them.
/// Non-blocking, not thread-safe.
class PeerSockets {
 public:
  /// Bound to `local` in turn; where that is empty the kernel chooses the address. At least one socket.
  static SysResult<PeerSockets> open(const Endpoint& peer, std::span<const IpAddress> local, std::size_t count);

  [[nodiscard]] std::size_t size() const { return sockets_.size(); }
  /// Readable while any of the sockets is.
  [[nodiscard]] int fd() const { return epoll_.get(); }

  /// `arrived`: by the kernel's time stamp, not after `now`, so that waiting in a socket for this process adds no
  /// delay.
  using Visit = std::function<void(std::size_t socket, Bytes datagram, Instant now, Instant arrived)>;
  /// A round over sockets that have something; several datagrams of one where the kernel merged them (UDP_GRO). False:
  /// nothing is left.
  bool receive(const Visit& visit);
  /// 0, or the errno. An ICMP error that an earlier datagram drew is not this one's.
  int send(std::size_t socket, Bytes datagram);

  /// Datagrams that the kernel dropped because a receive buffer was full (SO_RXQ_OVFL).
  [[nodiscard]] std::uint64_t receive_drops() const { return receive_drops_; }

 private:
  struct Socket {
    UniqueFd fd;
    /// The kernel's own count; wraps.
    std::uint32_t drops = 0;
  };
  PeerSockets() = default;
  /// `offset`: of `Instant`s to the time of day.
  void receive_at(std::size_t socket, Duration offset, const Visit& visit);

  UniqueFd epoll_;
  std::vector<Socket> sockets_;
  std::vector<std::byte> buffer_;
  std::uint64_t receive_drops_ = 0;
};

}  // namespace amt
