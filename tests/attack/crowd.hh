#pragma once
/// Gateways of one honest host: each has a socket of its own and does the handshake of RFC 7450 §5.2.3.

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "amt/channel.hh"
#include "membership/message.hh"
#include "sys/unique_fd.hh"
#include "wire/message.hh"

namespace amt::attack {

struct Tunnel {
  UniqueFd socket;
  std::size_t number = 0;
  wire::RequestNonce nonce;
  wire::ResponseMac mac;
  std::optional<wire::GatewayFields> seen_as;
  bool granted = false;
};

/// The relay's addresses, and where the tunnels come from: tunnel i speaks from local address i modulo their number, to
/// the relay address of that family.
struct CrowdOptions {
  std::vector<IpAddress> relays;
  std::vector<IpAddress> locals;
  std::size_t tunnels = 1;
  Family inner = Family::kIpv4;
  /// 0: any. Else there is one tunnel for each local address.
  std::uint16_t port = 0;
};

/// Called with (tunnel, inner datagram, whole UDP payload) for each Multicast Data message.
using OnData = std::function<void(Tunnel& tunnel, Bytes datagram, Bytes message)>;

/// Blocking calls, one thread. A refused system call ends the program: the tests lay the ground for it.
class Crowd {
 public:
  explicit Crowd(const CrowdOptions& options);

  /// Requests until every tunnel has its Query or the time is over. The tunnels that were granted.
  std::size_t request_all(Duration patience);
  void send_request(Tunnel& tunnel);
  /// One Membership Update with these records. Octets of the UDP payload.
  std::size_t send_report(Tunnel& tunnel, std::span<const GroupRecord> records);
  /// One Membership Update around this datagram.
  std::size_t send_update(Tunnel& tunnel, Bytes datagram);
  void send_teardown(Tunnel& tunnel);
  /// Reads what has come, waiting so long for the first of it.
  void receive(Duration patience, const OnData& on_data);

  [[nodiscard]] std::vector<Tunnel>& tunnels() { return tunnels_; }
  [[nodiscard]] Family inner() const { return options_.inner; }

 private:
  void handle(Tunnel& tunnel, Bytes message, const OnData& on_data);

  CrowdOptions options_;
  std::vector<Tunnel> tunnels_;
  UniqueFd epoll_;
  std::vector<std::byte> buffer_;
};

}  // namespace amt::attack
