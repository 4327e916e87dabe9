#pragma once
/// The relays of one gateway: which source is wanted of which, over tunnels that come and go (RFC 8777 §3).

#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "discovery/relay_search.hh"
#include "discovery/split_membership.hh"

namespace amt {

struct LookUpSource {
  IpAddress source;
};
/// A tunnel to the relay begins. Nothing is sent through it before a `TunnelFilter` names it.
struct OpenTunnel {
  TunnelNumber tunnel = 0;
  Endpoint relay;
};
/// Nothing is wanted of it, and has not been for a while. Comes from `handle_timeout` alone.
struct CloseTunnel {
  TunnelNumber tunnel = 0;
};
using SelectionStep =
    std::variant<LookUpSource, StartProbe, StopProbe, OpenTunnel, TunnelFilter, CloseTunnel, LogNotice>;

/// The events of a tunnel that concern its relay.
enum class TunnelEvent : std::uint8_t {
  kAnswers,      ///< the first Query: the filters were reported
  kStopped,      ///< data that had been flowing stopped (of `source`), the relay is asked
  kAlive,        ///< it answered that question
  kSilent,       ///< it does not answer
  kUnreachable,  ///< ICMP says so
  kLimit,        ///< the L flag
};

/// Decides, never sends: one input, then `poll_step` until it gives nothing. Time is an argument. Not thread-safe.
/// Each source that is wanted has a search of its own (D-3.3.7-a); those that find the same relay share its tunnel.
/// Groups that take any source, and sources whose owner names no relay, go to the defaults.
class RelaySelection {
 public:
  /// After its first packet through the new relay a source is still wanted of the old one for this long.
  static constexpr Duration kOverlap = std::chrono::seconds(1);
  /// The new relay may be behind the old one: the old relay's last packets come once more, at most this much later.
  static constexpr Duration kLag = std::chrono::seconds(1);
  /// And no longer than this, packet or not.
  static constexpr Duration kOverlapMax = std::chrono::seconds(30);
  /// A tunnel of which nothing is wanted stays for the next channel.
  static constexpr Duration kIdle = std::chrono::seconds(5);

  RelaySelection(RelaySearchOptions options, Random& random);

  /// Relays that can be asked for any source without a look-up: the well-known anycast addresses. Also after the
  /// network changed: then all searches begin anew.
  void set_defaults(Instant now, std::vector<RelayOption> defaults);
  /// The network's own relays, as far as they are known by now; for any source, too.
  void set_services(Instant now, ServiceRelays services);
  /// INCLUDE({}) leaves the group.
  void set_membership(Instant now, const IpAddress& group, const SourceFilter& filter);
  void handle_records(Instant now, const IpAddress& source, const SourceRecords& records);
  void handle_probe(Instant now, const IpAddress& target, const ProbeOutcome& outcome);
  void handle_tunnel(Instant now, TunnelNumber tunnel, TunnelEvent event, const WantedSource& source = {});
  /// A packet came through `tunnel`; needed only while `is_watching`.
  void handle_traffic(Instant now, TunnelNumber tunnel, const IpAddress& source);
  /// For another process, which goes on with the tunnels. Everything has been polled.
  void save(StateRecordWriter& out) const;
  /// Of a selection that knows nothing yet. The tunnels are there; searches that were under way begin anew. What cannot
  /// be makes `in` bad.
  void restore(Instant now, StateRecordReader& in);
  /// Where the tunnel leads, if there is such a tunnel.
  [[nodiscard]] std::optional<Endpoint> relay_of(TunnelNumber tunnel) const;
  [[nodiscard]] std::size_t tunnel_count() const { return tunnels_.size(); }

  void handle_timeout(Instant now);
  [[nodiscard]] Instant next_deadline() const { return deadline_; }
  [[nodiscard]] std::optional<SelectionStep> poll_step();

  /// Something was reported and has not been heard since, or is moving.
  [[nodiscard]] bool is_watching() const { return watching_; }
  /// Something is, or soon may be, wanted of two relays at once.
  [[nodiscard]] bool is_moving() const { return moving_; }
  /// All that is wanted comes.
  [[nodiscard]] bool is_delivering() const;
  /// A relay is being sought, for anything that is wanted.
  [[nodiscard]] bool is_racing() const;
  /// Why the first of those that have no relay has none; empty: all have one.
  [[nodiscard]] std::string problem() const;
  void for_each_wanted(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
    split_.for_each_wanted(visit);
  }

 private:
  struct Need {
    RelaySearch search;
    std::optional<TunnelNumber> tunnel = {};
    /// It was served by this one before.
    std::optional<TunnelNumber> former = {};
    Instant former_until = kNoDeadline;
    /// The former one has been left; its packets may still come by the new one.
    Instant moved_at = kNoDeadline;

    /// See base/state_record.hh.
    template <typename Io, typename Self>
    static void fields(Io& io, Self& self) {
      io(self.tunnel, self.former, self.former_until, self.moved_at);
    }
  };
  struct Tunnel {
    Endpoint relay;
    RelayOrigin origin = RelayOrigin::kDriad;
    /// The addresses that led to it.
    std::vector<IpAddress> targets;
    /// It answered its last question, without L.
    bool good = false;
    std::size_t users = 0;
    Instant close_at = kNoDeadline;

    /// See base/state_record.hh. `users` follow from the needs.
    template <typename Io, typename Self>
    static void fields(Io& io, Self& self) {
      io(self.relay, self.targets, self.good, self.close_at);
      io.choice(self.origin, RelayOrigin::kNamed);
    }
  };
  using Needs = std::map<WantedSource, Need>;

  void restore_need(StateRecordReader& in);
  /// Which tunnels serve `need`, as the tunnels and `split_` have it.
  void attach(Instant now, Needs::iterator need);
  void add_need(Instant now, const WantedSource& source);
  void remove_need(Instant now, Needs::iterator need);
  [[nodiscard]] bool is_served_by_better_origin() const;
  void drain(Instant now, Needs::iterator need);
  void start_probe(Instant now, Needs::iterator need, const RelayOption& option);
  void stop_probe(const WantedSource& source, const IpAddress& target);
  void use(Instant now, Needs::iterator need, const UseRelay& choice);
  void set_tunnels(Instant now, Needs::iterator need, std::optional<TunnelNumber> tunnel,
                   std::optional<TunnelNumber> former);
  [[nodiscard]] TunnelNumber tunnel_to(const UseRelay& choice);
  /// After each input.
  void refresh_deadline();

  RelaySearchOptions options_;
  Random& random_;
  HoldDowns hold_downs_;
  std::vector<RelayOption> defaults_;
  ServiceRelays services_;
  SplitMembership split_;
  Needs needs_;
  std::map<TunnelNumber, Tunnel> tunnels_;
  TunnelNumber next_tunnel_ = 1;
  /// Attempts under way, and the sources that wait for each.
  std::map<IpAddress, std::vector<WantedSource>> probes_;
  std::deque<SelectionStep> steps_;
  Instant deadline_ = kNoDeadline;
  bool watching_ = false;
  bool moving_ = false;
};

}  // namespace amt
