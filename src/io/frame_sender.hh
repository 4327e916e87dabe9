#pragma once
/// Datagrams of a UDP socket as frames of our own, past the kernel's UDP, IP and neighbour layers: shared by all ways
/// to send frames.

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "amt/time.hh"
#include "io/replication_back_end.hh"
#include "ip/udp_frame.hh"
#include "sys/next_hop.hh"

namespace amt {

/// For each peer either way, chosen anew all the time: by frames where the route is a plain one to a resolved neighbour
/// on Ethernet, the datagrams fit the MTU and come singly; by the socket in all other cases. The socket also gets each
/// peer's first datagrams, and some every few seconds: that keeps the kernel's neighbour entry alive, and lets the
/// kernel report limits of the path. ICMP errors arrive at the socket for frames, too, since address and ports are its
/// own.
class FrameSender : public ReplicationBackEnd {
 public:
  /// More datagrams than this of one message are cut by the kernel at less cost (UDP_SEGMENT).
  static constexpr std::size_t kFramesMax = 4;
  /// The most octets that one frame holds.
  static constexpr std::size_t kFrameOctets = 2048;
  /// How long a path is used before the socket gets a turn.
  static constexpr Duration kPathLifetime = std::chrono::seconds(10);
  /// Until the kernel is asked again whether a path has become usable, unless it says so itself.
  static constexpr Duration kRetryInterval = std::chrono::seconds(2);
  /// Peers with higher numbers go by the socket.
  static constexpr std::uint32_t kSlotsMax = 65'536;
  /// Questions for the kernel; a peer for which none is left goes by the socket.
  static constexpr std::size_t kQuestionsPerSecondMax = 5'000;
  /// Interfaces with frames at the same time; datagrams of others go by the socket.
  static constexpr std::size_t kLinksMax = 64;

  void send(Instant now, UdpSocket& socket, std::span<const Transmit> messages, const OnSendError& on_error) final;
  [[nodiscard]] SendPath path_of(std::uint32_t slot, const Endpoint& peer) const final;

 protected:
  /// An interface that frames leave by.
  struct Link {
    /// Below `kLinksMax`, and another one than that of each other link.
    std::size_t number = 0;
    int index = 0;
    /// Of `generation_`: when the link was looked at.
    std::uint32_t generation = 0;
    std::optional<EthernetLink> ethernet{};
    bool is_open = false;
    Instant retry_at{};
    bool failure_told = false;
    /// It gets no frames until then.
    Instant rests_until{};
  };
  struct Path {
    // The first cache line holds the fields that are compared with each message.
    const UdpSocket* socket = nullptr;
    /// Null: by the socket.
    Link* link = nullptr;
    Instant until{};
    /// The call in which the socket has, or gets, a datagram for this peer: later datagrams must not overtake it.
    std::uint64_t socket_call = 0;
    std::uint32_t generation = 0;
    /// A frame with a longer payload does not fit the MTU or `kFrameOctets`.
    std::uint32_t payload_octets_max = 0;
    Endpoint peer;
    UdpFrameHeader header;
  };

  /// `path`: the name of this way in `path_of` and in the log.
  FrameSender(SendPath path, NextHopQueries queries) : frame_path_(path), queries_(std::move(queries)) {}

  virtual SysResult<void> open_link(const Link& link) = 0;
  virtual void close_link(const Link& link) = 0;
  /// The header of this path is another one.
  virtual void handle_new_header(std::uint32_t slot, const Path& path) = 0;
  /// Takes message number `index` of the call, a frame for each of its pieces, which fit. False: by the socket.
  virtual bool push(Path& path, const Transmit& message, std::uint32_t index) = 0;
  /// Sends the pushed frames.
  virtual void flush() = 0;

  /// For the socket when all frames have been sent: message number `index` from this piece on.
  void leave_to_socket(Path& path, const Transmit& message, std::uint32_t index, std::size_t first_piece);
  /// Reports the error of message number `index`, once for all of its pieces.
  void report(std::uint32_t index, int code);
  /// Frames cannot be sent there any more. It is tried again later.
  void give_up(Link& link);
  /// `payload_sum` of each piece: all gateways' copies of a run point at the same ones.
  [[nodiscard]] std::span<const std::uint16_t> sums_of(const Transmit& message);

  [[nodiscard]] std::deque<Link>& links() { return links_; }
  [[nodiscard]] Path& path_in(std::uint32_t slot) { return paths_[slot]; }
  /// Of the call.
  [[nodiscard]] const Transmit& message(std::uint32_t index) const { return messages_[index]; }
  [[nodiscard]] Instant now() const { return now_; }

 private:
  struct NeighbourKey {
    int interface = 0;
    IpAddress address;
    friend bool operator==(const NeighbourKey&, const NeighbourKey&) = default;
    friend std::size_t hash_value(const NeighbourKey& key) {
      return hash_value(key.address) * 31 + static_cast<std::size_t>(key.interface);
    }
  };
  struct Deferred {
    std::uint32_t index;
    std::uint32_t first_piece;
  };

  void poll_changes();
  [[nodiscard]] bool may_ask();
  /// Null: no room for its number.
  Path* path_to(const UdpSocket& socket, const Transmit& message);
  void resolve(const UdpSocket& socket, std::uint32_t slot, Path& path);
  [[nodiscard]] Link* working_link(int index);
  [[nodiscard]] std::optional<MacAddress> neighbour(int interface, const IpAddress& address);
  void close(Link& link);
  [[nodiscard]] bool works(const Link& link) const { return link.is_open && link.rests_until <= now_; }

  SendPath frame_path_;
  NextHopQueries queries_;
  /// By slot.
  std::vector<Path> paths_;
  /// The paths that were made, resolved or not.
  boost::unordered_flat_map<NeighbourKey, std::optional<MacAddress>> neighbours_;
  /// Never move: paths point at them.
  std::deque<Link> links_;
  /// Paths and links of an older one are looked at anew.
  std::uint32_t generation_ = 1;
  Instant next_poll_{};
  Instant questions_since_{};
  std::size_t questions_ = 0;

  // Of one call.
  Instant now_{};
  std::uint64_t call_ = 0;
  std::span<const Transmit> messages_;
  const OnSendError* on_error_ = nullptr;
  std::uint32_t last_told_ = 0;
  std::vector<Transmit> for_socket_;
  std::vector<Deferred> deferred_;
  const Bytes* summed_ = nullptr;
  std::vector<std::uint16_t> sums_;
};

}  // namespace amt
