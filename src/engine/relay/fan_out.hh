#pragma once
/// The relay's data path: captured datagrams in, one encapsulated copy per tunnel out (RFC 7450 §5.3.3.6).

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "egress/narrow_paths.hh"
#include "egress/oversize_watch.hh"
#include "egress/rate_cap.hh"
#include "egress/too_big.hh"
#include "engine/relay/path_probes.hh"
#include "io/replication_back_end.hh"
#include "io/udp_socket.hh"
#include "ip/captured.hh"
#include "relay/relay.hh"

namespace amt {

/// Whether a datagram's TTL / Hop Limit is still to be lowered by one (X-4.6-d): by the relay where that is
/// the router, not where the kernel has forwarded the datagram.
enum class HopLimit : std::uint8_t { kLower, kKeep };

/// Groups the ready datagrams by channel and length, so that each gateway gets each group by one UDP_SEGMENT message
/// whose pieces all point at the one copy in the ring. Order within a channel is kept. Allocates only until its vectors
/// have grown to the size of a batch. Owned by one worker, not thread-safe.
class FanOut {
 public:
  /// `sockets`: the relay's own; the tunnel's `local` names one of them. Both outlive this object. They ignore the
  /// kernel's path MTU (`UdpOptions::ignore_path_mtu`). `random`: for keys. `too_big`: gets datagrams that did not fit,
  /// outlives this object, too; null: none. `back_end`: sends the datagrams of these sockets, outlives this object,
  /// too.
  FanOut(Relay& relay, std::span<UdpSocket* const> sockets, ReplicationBackEnd& back_end, Random& random,
         const PathMtuOptions& path_mtu = {}, TooBigListener* too_big = nullptr, const RateCapOptions& rate_cap = {});

  /// One more of `sockets`.
  void add_socket(UdpSocket& socket) { queues_.emplace_back().socket = &socket; }
  /// From now on.
  void set_rate_cap(const RateCapOptions& options) { rate_cap_ = RateCap(options); }

  /// Lowers TTL / Hop Limit if that is still to be done, puts the AMT header before each datagram, sends and accounts.
  /// A datagram that does not fit a gateway's path is fragmented inside, or dropped and reported to its source
  /// (R-5.3.3.6.2). May end tunnels that are unreachable: poll the relay's output afterwards.
  void replicate(Instant now, std::span<const CapturedDatagram> batch, HopLimit hop_limit = HopLimit::kLower);

  /// What did not fit, once a minute, for the log.
  [[nodiscard]] std::optional<OversizeReport> poll_oversize(Instant now) { return oversize_.poll_report(now); }

  /// An ICMP error about a gateway with a tunnel here makes the relay probe the path (`PathProbes`). It is believed
  /// when the path answers (C-6936-4.10; RFC 7450 §6.1). The kernel's error about its own link is believed at once. May
  /// end a tunnel: poll the relay's output afterwards.
  void handle_error(Instant now, const SocketError& error);

 private:
  /// Consecutive datagrams of one channel that one message can carry: equal lengths, the last may be shorter; one ECN.
  struct Run {
    IpAddress source;
    IpAddress group;
    Ecn ecn = Ecn::kNotEct;
    std::uint32_t segment_octets = 0;  ///< of the AMT message
    std::uint32_t total_octets = 0;
    std::uint32_t count = 0;
    std::uint32_t first_piece = 0;
    bool open = true;
    bool wanted = false;
  };
  struct ChannelKey {
    IpAddress source;
    IpAddress group;
    friend bool operator==(const ChannelKey&, const ChannelKey&) = default;
    friend std::size_t hash_value(const ChannelKey& key) { return hash_value(key.source) * 31 + hash_value(key.group); }
  };
  /// The origin of a queued message.
  struct Outgoing {
    TunnelId tunnel;
    std::uint32_t run;
    std::uint32_t packets;
    std::uint64_t octets;       ///< of inner datagrams
    std::uint32_t first_piece;  ///< `kFragment`: none of `pieces_`
  };
  static constexpr std::uint32_t kFragment = UINT32_MAX;
  /// A datagram above the MTU of its link, found out by sending it.
  struct Refused {
    TunnelId tunnel;
    std::uint32_t run;
    std::uint32_t piece;
    const Bytes* message;
  };
  struct Unreachable {
    Endpoint gateway;
    bool is_proven;
  };
  struct Queue {
    UdpSocket* socket = nullptr;
    std::vector<Transmit> messages;
    std::vector<Outgoing> origins;
    /// Fragments among the messages, and the pieces that point at them.
    std::deque<std::vector<std::byte>> fragments;
    std::deque<Bytes> fragment_pieces;
  };

  /// The run that the datagram joins or starts.
  std::uint32_t assign(const ChannelKey& key, std::uint32_t octets, Ecn ecn);
  void lay_out_pieces(std::span<const CapturedDatagram> batch);
  [[nodiscard]] std::span<const Bytes> pieces_of(const Run& run) const;
  void enqueue(Instant now, std::uint32_t run);
  /// The datagrams of a run one by one, those above `inner_octets_max` in fragments.
  void enqueue_apart(Queue& queue, TunnelId id, std::uint32_t run, const NarrowPaths::Room& room);
  /// `piece`: the number of `message`, or `kFragment`.
  void enqueue_fragments(Queue& queue, TunnelId id, std::uint32_t run, std::uint32_t piece, Bytes message,
                         const NarrowPaths::Room& room);
  void note_too_big(std::size_t piece, std::size_t inner_octets_max);
  void report_too_big(Instant now);
  /// The part of a message that the rate caps let pass: `origin` and `pieces` are cut short. False: nothing.
  bool admit(Outgoing& origin, std::span<const Bytes>& pieces);
  void push(Queue& queue, Outgoing origin, std::span<const Bytes> pieces, std::size_t segment_octets);
  /// Past the rate caps.
  void append(Queue& queue, const Outgoing& origin, std::span<const Bytes> pieces, std::size_t segment_octets);
  void flush(Instant now, Queue& queue);
  /// Once more, in fragments that fit.
  void resend(Instant now, Queue& queue, const Refused& refused);
  void send(Queue& queue);
  void note_failure(const Queue& queue, const SendFailure& failure);
  void note_error(Instant now, const SocketError& error);
  void end_unreachable(Instant now);
  void send_probes(Instant now);
  /// `copies`: 1 when a message is sent, -1 when it turns out that it was not.
  void account(const Outgoing& origin, int copies);
  Queue& queue_of(const LocalAddress& local);

  Relay& relay_;
  std::vector<Queue> queues_;
  std::vector<Run> runs_;
  boost::unordered_flat_map<ChannelKey, std::uint32_t> open_run_of_;
  std::vector<std::uint32_t> run_of_;
  std::vector<Bytes> pieces_;
  NarrowPaths narrow_paths_;
  PathProbes probes_;
  RateCap rate_cap_;
  /// Of the batch.
  Instant now_{};
  std::vector<Refused> refused_;
  /// Being sent once more.
  std::vector<Refused> resent_;
  /// By piece: the smallest Tunnel MTU that it did not fit, 0 for none. Empty while everything fits.
  std::vector<std::size_t> too_big_;
  TooBigListener* too_big_listener_;
  OversizeWatch oversize_;
  ReplicationBackEnd& back_end_;
  /// Unreachable gateways; the relay gets them when no walk through its tables is under way.
  std::vector<Unreachable> unreachable_;
  /// Where the walk through a channel's tunnels begins: when the socket is full, the last ones get nothing, and those
  /// shall not always be the same.
  std::size_t start_ = 0;
};

}  // namespace amt
