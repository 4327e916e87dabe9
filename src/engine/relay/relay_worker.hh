#pragma once
/// One of the workers of a relay: its share of the gateways, from the first Discovery to the last packet.

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "egress/batch_pace.hh"
#include "egress/overload_guard.hh"
#include "egress/too_big.hh"
#include "engine/relay/answer_batch.hh"
#include "engine/relay/fan_out.hh"
#include "engine/relay/upstream.hh"
#include "engine/relay/upstream_screen.hh"
#include "engine/runtime/event_loop.hh"
#include "engine/runtime/named_descriptors.hh"
#include "io/replication_back_end.hh"
#include "io/steering.hh"
#include "io/udp_socket.hh"
#include "membership/host_reporter.hh"
#include "relay/relay.hh"
#include "relay/state_document.hh"

namespace amt {

/// How data is sent on. The same for all workers.
struct DataPathOptions {
  PathMtuOptions path_mtu{};
  /// The most that a packet may wait for others of its channel, when packets come faster than they go out.
  Duration batch_delay_max = std::chrono::milliseconds(2);
  RateCapOptions rate_cap{};
  /// Makes the back end that sends the data, one for each worker; none: `SocketBackEnd`.
  std::function<SysResult<std::unique_ptr<ReplicationBackEnd>>()> open_back_end{};
  /// Events report channels that go on.
  std::optional<FlowTimeouts> flows{};
};

/// A part of a relay's state: all of it for a process that comes after this one died; or first the tunnels for a
/// process that takes over while this one still sends, and then their numbers.
enum class StateParts : std::uint8_t { kAll, kTunnels, kUses };

/// Where a walk through a worker's state stands.
struct StateCursor {
  std::optional<std::uint32_t> tunnel = 0;  ///< nothing: all have been seen
  ChannelCursor channel{};
};

class RelayWorker;

/// The services of the relay for a worker. Called on the worker's thread.
class RelayColleagues {
 public:
  RelayColleagues() = default;
  RelayColleagues(const RelayColleagues&) = delete;
  RelayColleagues& operator=(const RelayColleagues&) = delete;
  virtual ~RelayColleagues() = default;

  /// `changes`: of the merged membership of this worker's tunnels. When they have been made, `upstream_changed` is
  /// called on the worker's thread.
  virtual void change_upstream(RelayWorker& worker, std::vector<FilterChange> changes) = 0;
  /// The capture of upstream interface number `upstream_number` heard these.
  virtual void report_queries(std::size_t upstream_number, std::vector<HeardQuery> queries) = 0;
  /// A capture says that its interface is gone.
  virtual void report_lost_capture() = 0;
  /// This relay's own data came back by an upstream.
  virtual void report_return(const ReturnedPacket& packet) = 0;
  /// See `TooBigListener`. False: lost, since there is too much of it.
  virtual bool report_too_big(Bytes datagram, std::size_t inner_octets_max) = 0;
  /// Beginnings and ends, in order. `at_end`: the relay has been shut down, and its threads have ended.
  virtual void report_events(std::vector<RelayEvent> events, bool at_end) = 0;
  /// Has worker `to` do `work` on its thread. False: that worker has too much to do, and drops it. Work that is not
  /// `urgent` is refused at half of that limit.
  virtual bool hand_over(std::size_t to, bool urgent, std::function<void(RelayWorker&)> work) = 0;
};

/// Owns the state machine, sockets, captures, timers and counters of the endpoints that `Steering` gives to it, and
/// shares nothing with the other workers but `RelayOptions::shared`. Everything runs on the thread of `loop`, except
/// for calls before that starts or after it has ended, and for functions that say that any thread may call them.
class RelayWorker final : TooBigListener {
 public:
  RelayWorker(EventLoop& loop, std::size_t index, const Steering& steering, const RelayOptions& options,
              const DataPathOptions& data_path, std::vector<UdpSocket> sockets,
              std::unique_ptr<ReplicationBackEnd> back_end, Random& random, RelayColleagues& colleagues);

  /// In place of the capture that had this number; null: none any more. The first call takes number 0, the next one 1,
  /// ... below `kUpstreamsMax`.
  void set_capture(std::size_t number, std::unique_ptr<UpstreamCapture> capture);
  /// Captures take datagrams of this host's programs, too.
  void set_local_senders(bool wanted);
  /// Ends all tunnels; nothing is answered or forwarded afterwards, and nothing upstream is changed.
  void shutdown(EndReason reason);
  void set_draining(bool draining) { relay_.set_draining(draining); }
  /// The options that can change: `Relay::set_options`; of `data_path` the rate caps and the delay.
  void set_options(const RelayOptions& options, const DataPathOptions& data_path);
  /// From now on the relay is reached on this one, too.
  void add_socket(UdpSocket socket);

  /// Held, control messages wait in the sockets and no timer of the relay runs: no tunnel changes. Data goes on.
  void hold_control(bool held);
  /// Records of the state from `cursor` on: a tenth of a millisecond's work. False: that was the last.
  bool append_state(StateRecords& records, StateCursor& cursor, StateParts parts);
  /// For another process, when the thread has ended. `interfaces`: names, by number of the upstream.
  void append_descriptors(const std::vector<std::string>& interfaces, std::vector<LentDescriptor>& out);
  /// Tunnels of another process; before the thread begins.
  [[nodiscard]] Relay& relay_to_restore() { return relay_; }
  /// Then the merged filters of the tunnels.
  [[nodiscard]] std::vector<FilterChange> begin_restored();

  /// The owner of the upstream has made the last changes that it got.
  void upstream_changed();

  [[nodiscard]] std::size_t index() const { return index_; }
  /// Counters, rejects and the number of tunnels: any thread.
  [[nodiscard]] const Relay& relay() const { return relay_; }
  /// The counters of the sockets and captures. Any thread.
  struct Published {
    /// Datagrams that the kernel dropped for want of socket buffer, over all sockets. As of `kPublishInterval` ago at
    /// most.
    Count receive_drops;
    Count xdp_frames;
    Count xdp_drops;
    Count order_copies;
    Count order_refusals;
    struct Capture {
      Count dropped;
      Count malformed;
      Count segmented;
    };
    /// By number of the upstream interface. As of `kPublishInterval` ago at most: the kernel has to be asked.
    std::array<Capture, kUpstreamsMax> captures;
  };
  static constexpr Duration kPublishInterval = std::chrono::milliseconds(100);
  [[nodiscard]] const Published& published() const { return published_; }
  [[nodiscard]] const ReplicationBackEnd& back_end() const { return *back_end_; }

 private:
  /// Its place is kept while the interface is away.
  struct CapturePlace {
    std::uint32_t number = 0;
    /// None after the interface was removed.
    std::unique_ptr<UpstreamCapture> capture{};
    /// None after the interface was lost or removed.
    std::optional<ReadWatch> watch{};
    /// Of the captures that were here before.
    UpstreamCapture::Statistics before{};
  };

  void report(Instant now, Bytes datagram, std::size_t inner_octets_max) override;
  void on_socket_readable(UdpSocket& socket);
  void handle_datagram(Instant now, const TunnelEndpoint& from, const LocalAddress& to, Bytes datagram);
  void handle_error(Instant now, const SocketError& error);
  /// Handles it, or hands it over.
  void take_datagram(Instant now, const TunnelEndpoint& from, const LocalAddress& to, Bytes datagram);
  void hand_over_datagram(std::size_t owner, const TunnelEndpoint& from, const LocalAddress& to, Bytes datagram,
                          bool urgent);
  void hand_over_error(std::size_t owner, const SocketError& error);
  void count_hand_over(bool taken);
  void on_upstream_readable(CapturePlace& place);
  /// False: the upstream interface is lost.
  bool forward_batch(CapturePlace& place, Instant now);
  /// The packets of the captures so far.
  void forward_waiting();
  /// After each input of the relay.
  void drain_outputs();
  /// After the last of a batch of inputs: the answers leave, changes go to the upstream, the timer is set.
  void settle();
  /// Or shuts them, when there is no tunnel.
  void open_captures();
  void watch(UdpSocket& socket);
  UdpSocket& socket_at(const LocalAddress& local);
  void tell_upstream();
  void report_events(bool at_end);
  void on_flow_timer();
  /// After each turn. Values that need a system call follow soon.
  void publish(Instant now);
  void publish_kernel_counts();

  EventLoop& loop_;
  std::size_t index_;
  const Steering& steering_;
  RelayColleagues& colleagues_;
  Relay relay_;
  /// Never moved: the watches and the fan-out refer to them.
  std::deque<UdpSocket> sockets_;
  std::unique_ptr<ReplicationBackEnd> back_end_;
  FanOut fan_out_;
  BatchPace pace_;
  OverloadGuard guard_;
  UpstreamScreen screen_;
  ReceiveBatch received_;
  AnswerBatch answers_;
  Instant next_deadline_ = kNoDeadline;
  std::vector<CapturedDatagram> captured_;
  /// Whether the owner of the upstream is busy with earlier changes. The relay keeps the later ones.
  bool owner_is_busy_ = false;
  /// Whether there is a tunnel that captures work for.
  bool wanted_ = false;
  bool local_senders_ = false;
  bool is_control_held_ = false;
  bool is_shut_down_ = false;
  Published published_;
  Timer protocol_timer_;
  Timer publish_timer_;
  std::optional<FlowTimeouts> flows_;
  /// Where the look at all channels goes on.
  std::uint32_t flows_from_ = 0;
  Timer flow_timer_;
  // Last: they end before the members that their handlers use.
  std::vector<ReadWatch> watches_;
  std::deque<CapturePlace> captures_;
};

}  // namespace amt
