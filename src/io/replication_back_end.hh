#pragma once
/// The ways by which the copies of a datagram leave for their gateways (docs/data-path.md).

#include <cstdint>
#include <span>
#include <string_view>

#include "amt/time.hh"
#include "io/udp_socket.hh"

namespace amt {

/// How datagrams to one peer leave now.
enum class SendPath : std::uint8_t { kSocket, kXdp, kOrders };
/// As `--data-path` names it.
[[nodiscard]] constexpr std::string_view to_string(SendPath path) {
  if (path == SendPath::kOrders) return "orders";
  return path == SendPath::kXdp ? "xdp" : "socket";
}

/// Takes datagrams with their destinations, and sends them. Datagrams to one peer keep their order over all ways. A
/// peer is known by `Transmit::slot`, which stays the same while its tunnel lives: a back end finds its state of the
/// peer without a search. Another tunnel may use the slot later, so a back end compares the peer as well. Not
/// thread-safe: each worker has its own.
class ReplicationBackEnd {
 public:
  ReplicationBackEnd() = default;
  ReplicationBackEnd(const ReplicationBackEnd&) = delete;
  ReplicationBackEnd& operator=(const ReplicationBackEnd&) = delete;
  virtual ~ReplicationBackEnd() = default;

  /// As `UdpSocket::send`, from the address and port of `socket`, which outlives this object.
  virtual void send(Instant now, UdpSocket& socket, std::span<const Transmit> messages,
                    const OnSendError& on_error) = 0;
  /// How the next datagram in this slot to `peer` is expected to leave.
  [[nodiscard]] virtual SendPath path_of(std::uint32_t slot, const Endpoint& peer) const = 0;

  struct Statistics {
    std::uint64_t xdp_frames = 0;      ///< sent as such
    std::uint64_t xdp_drops = 0;       ///< of these, refused by the device
    std::uint64_t order_copies = 0;    ///< made by the kernel and taken by the device
    std::uint64_t order_refusals = 0;  ///< not taken by the device; they went by the socket
  };
  [[nodiscard]] virtual Statistics statistics() const = 0;
};

/// All of it by the kernel's UDP.
class SocketBackEnd final : public ReplicationBackEnd {
 public:
  void send(Instant, UdpSocket& socket, std::span<const Transmit> messages, const OnSendError& on_error) override {
    socket.send(messages, on_error);
  }
  [[nodiscard]] SendPath path_of(std::uint32_t, const Endpoint&) const override { return SendPath::kSocket; }
  [[nodiscard]] Statistics statistics() const override { return {}; }
};

}  // namespace amt
