#pragma once
/// A network in virtual time: loses, repeats, reorders, delays and marks packets, cuts hosts apart, has narrow paths,
/// and hides hosts behind NATs.

#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "base/keyed_hash.hh"
#include "base/random.hh"
#include "ip/datagram.hh"
#include "sim/tally.hh"

namespace amt::sim {

/// Index of a machine in its world: relays first, then gateways.
using HostId = std::size_t;
/// Who sends with a forged address, and is nobody's neighbour.
inline constexpr HostId kNobody = static_cast<HostId>(-1);

/// Shared: the copies of one multicast packet are one buffer.
using Octets = std::shared_ptr<const std::vector<std::byte>>;

struct Packet {
  /// As the receiver sees it, after any NAT.
  Endpoint from;
  Endpoint to;
  Ecn ecn = Ecn::kNotEct;
  Octets octets;
  HostId sender = kNobody;
  /// By one who sees nothing: must have no effect.
  bool is_forged = false;
};

struct Weather {
  unsigned loss_per_mille = 0;
  unsigned repeat_per_mille = 0;
  /// Of packets that are ECN-capable outside.
  unsigned mark_per_mille = 0;
  Duration delay_min = std::chrono::milliseconds(10);
  /// Above `delay_min`: packets overtake each other.
  Duration delay_max = std::chrono::milliseconds(10);
};

/// Some gateways and one relay do not reach each other, in one direction or both.
struct Partition {
  HostId relay = 0;
  bool to_relay = false;
  bool from_relay = false;
  /// Which gateways: those whose hash under `salt` is below `eighths`.
  std::uint64_t salt = 0;
  std::uint64_t eighths = 0;
};

class Network {
 public:
  Network(Random& random, Tally& tally) : random_(random), tally_(tally) {}

  /// `endpoint` leads to `host` from now on; it may have led elsewhere (anycast).
  void route(const Endpoint& endpoint, HostId host) { host_of_[endpoint] = host; }
  void unroute(const Endpoint& endpoint) { host_of_.erase(endpoint); }
  /// `host`, which calls itself `inside`, is seen as `address` and some port. Any outside host may send to that port.
  void put_behind_nat(HostId host, const IpAddress& address);
  /// The NAT forgets the host: its next packet gets another port, and the old one leads nowhere. False: no NAT there.
  bool rebind(HostId host);
  /// How the gateway `host`, `inside` by its own account, is seen now.
  [[nodiscard]] Endpoint outside_of(HostId host, const Endpoint& inside) const;
  [[nodiscard]] std::optional<HostId> host_at(const Endpoint& endpoint) const;

  /// `packet.from` is as the sender sees itself.
  void send(Instant now, Packet packet);
  [[nodiscard]] Instant next_arrival() const { return under_way_.empty() ? kNoDeadline : under_way_.front().at; }
  /// The next packet that is due, and who gets it. Nothing where it leads nowhere or is cut off.
  std::optional<std::pair<HostId, Packet>> arrive();

  /// Larger UDP payloads from or to `host` vanish; 0: no limit.
  void set_path_octets_max(HostId host, std::size_t octets_max);

  Weather weather;
  std::vector<Partition> partitions;

 private:
  /// A place in `slots_`, by arrival, then by the order of sending.
  struct Arrival {
    Instant at;
    std::uint64_t order = 0;
    std::size_t slot = 0;
    [[nodiscard]] bool operator<(const Arrival& other) const {
      return std::pair(other.at, other.order) < std::pair(at, order);
    }
  };

  [[nodiscard]] bool happens(unsigned per_mille) { return per_mille != 0 && random_.below(1000) < per_mille; }
  [[nodiscard]] bool is_cut(HostId sender, HostId receiver) const;
  [[nodiscard]] bool is_too_big(HostId host, std::size_t octets) const;

  Random& random_;
  Tally& tally_;
  boost::unordered_flat_map<Endpoint, HostId, KeyedHash> host_of_;
  boost::unordered_flat_map<HostId, Endpoint> nat_of_;
  std::uint16_t next_port_ = 20'000;
  std::vector<std::size_t> path_octets_max_;
  std::uint64_t sent_ = 0;
  /// A heap.
  std::vector<Arrival> under_way_;
  std::vector<Packet> slots_;
  std::vector<std::size_t> free_slots_;
};

}  // namespace amt::sim
