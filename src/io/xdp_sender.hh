#pragma once
/// Datagrams of a UDP socket as frames of our own, past the kernel's UDP, IP and neighbour layers (`--data-path xdp`).

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "amt/time.hh"
#include "io/udp_socket.hh"
#include "io/xdp_port.hh"
#include "ip/udp_frame.hh"
#include "sys/next_hop.hh"

namespace amt {

/// For each peer either way, chosen anew all the time: by frames where the route is a plain one to a resolved neighbour
/// on Ethernet, the datagrams fit the MTU and come singly; by the socket wherever anything is different. The socket
/// also gets each peer's first datagrams, and some every few seconds: that keeps the kernel's neighbour entry alive,
/// and lets the kernel say what it thinks of the path. Datagrams to one peer keep their order within a call. ICMP
/// errors arrive at the socket all the same, since address and ports are its own. Not thread-safe.
class XdpSender {
 public:
  /// More datagrams than this of one message are cut by the kernel at less cost (UDP_SEGMENT).
  static constexpr std::size_t kFramesMax = 4;
  /// How long a path is used before the socket gets a turn.
  static constexpr Duration kPathLifetime = std::chrono::seconds(10);
  /// Until the kernel is asked again whether a path has become usable, unless it says so itself.
  static constexpr Duration kRetryInterval = std::chrono::seconds(2);
  /// When full, it forgets everything and asks anew.
  static constexpr std::size_t kPathsMax = 65'536;
  /// Questions for the kernel; who is not answered for goes by the socket.
  static constexpr std::size_t kQuestionsPerSecondMax = 5'000;
  /// Interfaces with frames at the same time; what leaves by others goes by the socket.
  static constexpr std::size_t kPortsMax = 64;

  static SysResult<XdpSender> open();

  /// As `UdpSocket::send`, from the address and port of `socket`. A message of which any datagram is lost is told of
  /// once.
  void send(Instant now, UdpSocket& socket, std::span<const Transmit> messages, const OnSendError& on_error);

  struct Statistics {
    std::uint64_t frames = 0;  ///< sent as such
    std::uint64_t drops = 0;   ///< of these, refused by the device
  };
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }
  /// Whether datagrams from `local` to `peer` go as frames now.
  [[nodiscard]] bool carries(const Endpoint& local, const Endpoint& peer) const;

 private:
  struct Port {
    int index = 0;
    /// Of `generation_`: when the link was looked at.
    std::uint32_t generation = 0;
    std::optional<EthernetLink> link{};
    std::optional<XdpPort> xdp{};
    Instant retry_at{};
    std::size_t pushed = 0;
    bool failure_told = false;
  };
  struct PathKey {
    Endpoint local;
    Endpoint peer;
    friend bool operator==(const PathKey&, const PathKey&) = default;
    friend std::size_t hash_value(const PathKey& key) { return hash_value(key.local) * 31 + hash_value(key.peer); }
  };
  struct Path {
    UdpFrameHeader header;
    std::size_t datagram_octets_max = 0;
    /// Null: by the socket.
    Port* port = nullptr;
    std::uint32_t generation = 0;
    Instant until{};
    /// The call in which the socket has, or gets, something for this peer: what follows must not overtake it.
    std::uint64_t socket_call = 0;
  };
  struct NeighbourKey {
    int interface = 0;
    IpAddress address;
    friend bool operator==(const NeighbourKey&, const NeighbourKey&) = default;
    friend std::size_t hash_value(const NeighbourKey& key) {
      return hash_value(key.address) * 31 + static_cast<std::size_t>(key.interface);
    }
  };

  explicit XdpSender(NextHopQueries queries) : queries_(std::move(queries)) {}
  void poll_changes(Instant now);
  [[nodiscard]] bool may_ask(Instant now);
  Path& path_to(Instant now, const UdpSocket& socket, const Endpoint& peer);
  void resolve(Instant now, const UdpSocket& socket, const Endpoint& peer, Path& path);
  [[nodiscard]] Port* working_port(Instant now, int index);
  [[nodiscard]] std::optional<MacAddress> neighbour(int interface, const IpAddress& address);
  [[nodiscard]] bool send_as_frames(Instant now, const Transmit& message, Path& path, std::uint32_t index);
  void note_sums(const Transmit& message);
  void flush(Instant now, Port& port);
  void close(Instant now, Port& port);
  void report(std::uint32_t index, int code);

  NextHopQueries queries_;
  boost::unordered_flat_map<PathKey, Path> paths_;
  /// What paths were made with, resolved or not.
  boost::unordered_flat_map<NeighbourKey, std::optional<MacAddress>> neighbours_;
  /// Never move: paths point at them.
  std::deque<Port> ports_;
  /// Paths and ports of an older one are looked at anew.
  std::uint32_t generation_ = 1;
  Instant next_poll_{};
  Instant questions_since_{};
  std::size_t questions_ = 0;
  Statistics statistics_;

  // Of one call.
  std::uint64_t call_ = 0;
  const OnSendError* on_error_ = nullptr;
  std::uint32_t last_told_ = 0;
  std::vector<Transmit> for_socket_;
  std::vector<std::size_t> for_socket_index_;
  /// The sums of these pieces: all gateways' copies of a run point at the same.
  const Bytes* summed_ = nullptr;
  std::vector<std::uint16_t> sums_;
};

}  // namespace amt
