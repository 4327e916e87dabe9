#pragma once
/// A network in virtual time: loses, repeats, reorders, delays and marks packets, and hides hosts behind NATs.

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "base/random.hh"
#include "ip/datagram.hh"

namespace amt::sim {

struct Packet {
  Endpoint from;
  Endpoint to;
  Ecn ecn = Ecn::kNotEct;
  std::vector<std::byte> octets;
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

class Network {
 public:
  explicit Network(Random& random) : random_(random) {}

  /// The host at `inside` is seen as `address` and some port. Any outside host may send to that port.
  void put_behind_nat(const Endpoint& inside, const IpAddress& address);
  /// The NAT forgets the host: its next packet gets another port, and the old one leads nowhere.
  void rebind(const Endpoint& inside);
  /// How `inside` is seen now.
  [[nodiscard]] Endpoint outside_of(const Endpoint& inside) const;

  void send(Instant now, Packet packet);
  [[nodiscard]] Instant next_arrival() const;
  /// The next packet that is due, addressed to who really gets it. Nothing where a NAT drops it.
  std::optional<Packet> arrive();

  Weather weather;

 private:
  [[nodiscard]] bool happens(unsigned per_mille) { return random_.below(1000) < per_mille; }

  struct Translation {
    IpAddress address;
    std::uint16_t port = 0;
  };
  Random& random_;
  std::map<Endpoint, Translation> nats_;
  std::map<Endpoint, Endpoint> inside_of_;
  std::uint16_t next_port_ = 20'000;
  std::uint64_t sent_ = 0;
  /// By arrival, then by the order of sending.
  std::map<std::pair<Instant, std::uint64_t>, Packet> under_way_;
};

}  // namespace amt::sim
