#pragma once
/// Where all workers of a relay report what was too big for their tunnels.

#include <array>
#include <optional>
#include <vector>

#include "egress/too_big.hh"
#include "engine/runtime/event_loop.hh"
#include "io/icmp_sender.hh"
#include "relay/relay_counters.hh"

namespace amt {

/// Tells the source once, with the smallest Tunnel MTU of all tunnels (R-5.3.3.6.2.1-c), whichever workers they belong
/// to. Lives on its event loop's thread.
class TooBigDesk final : public TooBigListener {
 public:
  /// How long a datagram waits for what other workers say of it. They have it at the same time.
  static constexpr Duration kPatience = std::chrono::milliseconds(10);
  /// Datagrams that wait; when there are more, none does.
  static constexpr std::size_t kWaitingMax = 256;

  /// `patience`: zero where there is one worker. `counters` outlives this object.
  TooBigDesk(EventLoop& loop, SsmRange ssm, Random& random, Counters<RelayCounter>& counters, Duration patience);

  void report(Instant now, Bytes datagram, std::size_t inner_octets_max) override;

 private:
  struct Report {
    std::vector<std::byte> datagram;
    std::size_t inner_octets_max;
  };

  bool send_icmp(const IpAddress& source, Bytes message);
  void pass_on(Instant now);

  /// IPv4, IPv6; none where the process may not or the machine has no IPv6.
  std::array<std::optional<IcmpSender>, 2> icmp_;
  TooBigReporter reporter_;
  Duration patience_;
  std::vector<Report> waiting_;
  Timer timer_;
};

}  // namespace amt
