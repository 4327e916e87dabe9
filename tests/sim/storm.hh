#pragma once
/// A storm: very many gateways, all served by one relay, lose it at the same moment. What do the others see?
/// Real machines on both sides (`Client`, `Relay`), in virtual time.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/client.hh"
#include "relay/relay.hh"
#include "sim/network.hh"

namespace amt::sim {

struct StormScenario {
  std::size_t gateways = 2000;
  /// Relays that are left; all of them equal in the DNS, behind the one that all use.
  std::size_t others = 1;
  /// They are dead, too.
  bool others_dead = false;
  /// The source falls silent, and the relay lives.
  bool source_pauses = false;
  /// The lost relay is the anycast one, and has served: nobody asked the DNS for others so far.
  bool asks_dns = false;
  /// At each of the others; beyond it the L flag.
  std::size_t tunnels_max = 1'000'000;
  /// Cores of each relay, at the rates that `make bench` measures for one; 0: it never has to wait.
  double cores = 0;
  /// What waits in each one's socket (UdpOptions, doubled by the kernel): small datagrams, of 768 octets to the kernel.
  std::int64_t socket_datagrams = (8 << 20) / 768;
  RelaySearchOptions search = {};
  GatewayOptions gateway = {};
  /// Longer than a second after the last was served nobody looks.
  Duration watched = std::chrono::seconds(10);
  std::uint64_t seed = 1;
};

/// What the busiest relay that lives sees, by its arrivals.
struct StormFigures {
  /// The most in 10 ms, in 100 ms, and in 1 s, each as messages per second.
  double peak_10ms = 0;
  double peak_100ms = 0;
  double peak_1s = 0;
  /// All that came to all of them.
  std::uint64_t discoveries = 0;
  std::uint64_t requests = 0;
  std::uint64_t updates = 0;
  /// Of these, what found the relay's socket full.
  std::uint64_t overflowed = 0;
  std::uint64_t dns_queries = 0;
  double dns_peak_100ms = 0;
  /// Gateways to which data came again, and when, after the loss.
  std::size_t served = 0;
  Duration half_served{};
  Duration most_served{};  ///< 99 %
  Duration last_served{};

  [[nodiscard]] std::uint64_t messages() const { return discoveries + requests + updates; }
  /// Messages per second in 100 ms that the busiest relay sees if all goes well: each gateway comes once, at a moment
  /// of its own within the span, with a Discovery, two Requests and two Updates (the second repeats the first).
  [[nodiscard]] static double share(const StormScenario& scenario);
};

class Storm {
 public:
  explicit Storm(const StormScenario& scenario);
  ~Storm();
  [[nodiscard]] StormFigures run();

 private:
  struct Node {
    IpAddress address;
    std::unique_ptr<Client> client;
    std::map<SocketId, Endpoint> sockets;
    Instant deadline = kNoDeadline;
    /// The last question to the DNS, and when its answer comes.
    DnsQuestionId question{};
    Instant answer_at = kNoDeadline;
    std::uint16_t next_port = 1024;
    /// Of its earliest entry in `timers_`.
    Instant armed = kNoDeadline;
    bool served_again = false;
  };
  struct Host {
    Endpoint endpoint;
    std::unique_ptr<Relay> relay;
    /// Until then it is busy with what came before.
    Instant busy_until{};
    /// Arrivals, by millisecond after the loss.
    std::vector<std::uint32_t> arrivals;
  };
  struct Timer {
    Instant at;
    std::size_t node = 0;
    [[nodiscard]] bool operator<(const Timer& other) const { return other.at < at; }
  };

  [[nodiscard]] HostId id_of(std::size_t node) const { return relays_.size() + node; }
  void join(std::size_t node);
  void want_source(std::size_t node);
  void lose();
  void watch();
  void run_until(Instant end);
  void run_timer();
  void wake(std::size_t node);
  void schedule(std::size_t node);
  void emit();
  void deliver(HostId to, const Packet& packet);
  void deliver_to_relay(Host& host, HostId id, const Packet& packet);
  void deliver_to_gateway(std::size_t node, const Packet& packet);
  void count(Bytes message);
  /// How long the relay's cores are busy with it.
  [[nodiscard]] Duration cost(Bytes message) const;

  // storm_gateway.cc
  void start(std::size_t node);
  /// Does what the client wants done.
  void drain(std::size_t node);
  void apply(std::size_t node, const ClientPackets& packets);
  void apply(std::size_t node, const ClientTransmit& transmit);
  void apply(std::size_t node, const OpenSocket& open);
  void apply(std::size_t node, const CloseSocket& close);
  void apply(std::size_t node, const AskDns& ask);
  void apply(std::size_t node, const AskSource& ask);
  void apply(std::size_t node, const ClientDeadline& deadline) { nodes_[node].deadline = deadline.at; }
  template <typename Other>
  static void apply(std::size_t, const Other&) {}
  [[nodiscard]] DnsAnswer answer() const;
  [[nodiscard]] std::size_t millisecond() const;
  [[nodiscard]] static double peak(const std::vector<std::uint32_t>& arrivals, std::size_t milliseconds);

  StormScenario scenario_;
  SeededRandom random_;
  Tally tally_;
  Network network_;
  Instant now_ = Instant() + std::chrono::hours(1);
  Instant next_emission_ = kNoDeadline;
  /// Of the loss; until then nothing is counted.
  Instant lost_at_ = kNoDeadline;
  /// The first is the one that is lost.
  std::vector<Host> relays_;
  std::vector<Node> nodes_;
  /// A heap; of a node's entries only the one at its `armed` counts.
  std::vector<Timer> timers_;
  std::vector<std::uint32_t> dns_queries_;
  std::vector<Duration> served_;
  Octets data_;
  std::vector<std::byte> scratch_;
  /// The packet at hand comes from another relay than the one that was lost.
  bool from_other_ = false;
  StormFigures figures_;
};

/// The scenario in a few words, and its figures.
[[nodiscard]] std::string to_string(const StormScenario& scenario, const StormFigures& figures);

}  // namespace amt::sim
