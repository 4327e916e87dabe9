#pragma once
/// The relay for one source: found, watched, and found anew (RFC 8777 §3).

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "amt/endpoint.hh"
#include "base/log_level.hh"
#include "base/state_record.hh"
#include "discovery/hold_downs.hh"
#include "discovery/rediscovery.hh"
#include "discovery/relay_race.hh"

namespace amt {

struct RelaySearchOptions {
  Duration attempt_delay = std::chrono::milliseconds(250);  ///< RaceOptions
  std::vector<RelayOrigin> order = default_discovery_order();
  /// Relays behind DNS-SD or DRIAD in the order wait this long for the DNS.
  Duration resolution_delay = std::chrono::milliseconds(500);
  /// Between two searches in vain.
  Duration retry_initial = std::chrono::seconds(1);
  Duration retry_max = std::chrono::seconds(15);
  /// A relay whose data stopped is asked; it has this long, or two round trips, before others are. All gateways of a
  /// relay lose it at the same moment: that they do not ask together is the doing of `GatewayOptions::silence_span`.
  Duration answer_patience = std::chrono::milliseconds(200);
  RediscoveryOptions rediscovery;
};

/// The records of a source in the DNS.
struct SourceRecords {
  std::vector<RelayOption> options;
  /// The source's owner says that no relay is to be used (D-4.2.4-a).
  bool no_relay = false;
  /// The DNS could not be asked, or did not answer as it should; the next try may be better.
  bool failed = false;
  Duration lifetime{};
  /// Why there are no options, as a person reads it.
  std::string problem;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.options, self.no_relay, self.failed, self.lifetime, self.problem);
  }
};

/// The relays that DNS-SD names in this network, for any source.
struct ServiceRelays {
  std::vector<RelayOption> options;
  /// There may be more soon.
  bool searching = false;
  /// Why there are none, as a person reads it.
  std::string problem;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.options, self.searching, self.problem);
  }
};

/// How an attempt ended.
struct ProbeOutcome {
  enum class Kind : std::uint8_t { kConnected, kLimited, kFailed };
  Kind kind = Kind::kFailed;
  /// kConnected, kLimited: the relay, which Relay Discovery may have named.
  Endpoint relay;
  /// kConnected: from Request to Query.
  Duration round_trip{};
  /// Why it did not connect, as a person reads it.
  std::string problem;
};

/// Ask the DNS for the source's records.
struct LookUp {};
struct StartProbe {
  RelayOption option;
};
/// The race is over: this attempt is given up.
struct StopProbe {
  IpAddress target;
};
/// From now on the source is wanted of this relay.
struct UseRelay {
  RelayOption option;
  Endpoint relay;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.option, self.relay);
  }
};
/// From now on of none.
struct UseNoRelay {};
struct LogNotice {
  LogLevel level = LogLevel::kInfo;
  std::string text;
};
using SearchStep = std::variant<LookUp, StartProbe, StopProbe, UseRelay, UseNoRelay, LogNotice>;

/// Decides, never sends: one input, then `poll_step` until it gives nothing. Time is an argument. Not thread-safe.
/// The relay in use stays until another has answered (make before break): a search in vain changes nothing.
class RelaySearch {
 public:
  /// The DNS is not asked more often, nor more rarely, for any TTL.
  static constexpr Duration kLifetimeMin = std::chrono::seconds(10);
  static constexpr Duration kLifetimeMax = std::chrono::hours(24);

  /// `hold_downs` outlives this object. `defaults`: relays that are not for this source in particular.
  RelaySearch(const RelaySearchOptions& options, WantedSource source, HoldDowns& hold_downs, Random& random);

  /// Begins. `ask_dns` false: something that stands before DRIAD serves already (D-3.1.1-a).
  void start(Instant now, std::vector<RelayOption> defaults, bool ask_dns);
  void handle_records(Instant now, SourceRecords records);
  /// At any time, before `start`, too.
  void handle_services(Instant now, const ServiceRelays& services);
  void handle_probe(Instant now, const IpAddress& target, const ProbeOutcome& outcome);

  // Of the relay in use
  /// The filters were reported to it. Until data of them arrives the patience runs.
  void handle_reported(Instant now);
  void handle_traffic(Instant now);
  /// Data that had been flowing stopped, and the relay is being asked about it.
  void handle_stopped(Instant now);
  /// The same of another source.
  void handle_doubt(Instant now);
  /// It answered that question: a source that pauses, or a relay that lost it.
  void handle_alive(Instant now);
  /// It does not answer at all.
  void handle_silent(Instant now);
  /// ICMP says that it cannot be reached. Believed only where silence says the same (X-3.5-a).
  void handle_unreachable(Instant now);
  /// The L flag.
  void handle_limit(Instant now);

  /// This host is somewhere else now.
  void handle_network_change(Instant now, std::vector<RelayOption> defaults);

  /// For another process: the relay in use, what the DNS said, and how long that counts.
  void save(StateRecordWriter& out) const;
  /// In place of `start`. What cannot be makes `in` bad. `resume` begins anew what was under way.
  void restore(StateRecordReader& in);
  void resume(Instant now);

  void handle_timeout(Instant now);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::optional<SearchStep> poll_step();

  [[nodiscard]] bool is_racing() const { return race_.has_value(); }
  [[nodiscard]] bool is_delivering() const { return delivering_; }
  /// The relay in use, if any.
  [[nodiscard]] const std::optional<UseRelay>& current() const { return current_; }
  /// Why there is none, as a person reads it.
  [[nodiscard]] std::string problem() const;

 private:
  /// What is kept, but for what is under way.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self);
  void emit_notice(LogLevel level, std::string text);
  [[nodiscard]] bool uses_dns() const;
  [[nodiscard]] bool stands_before(RelayOrigin a, RelayOrigin b) const;
  /// The DNS is being asked for relays of this origin.
  [[nodiscard]] bool is_asked(RelayOrigin origin) const;
  /// The known relays of this origin that may be used.
  [[nodiscard]] std::vector<RelayOption> known(RelayOrigin origin) const;
  void ask_dns();
  void begin_race(Instant now, RestartReason reason);
  void report_restart(RestartReason reason);
  /// Asking `option` would bring the relay in use. An anycast address leads to another when the network wants it so.
  [[nodiscard]] bool leads_to_current(const RelayOption& option) const;
  [[nodiscard]] bool is_held_down(Instant now, const IpAddress& relay) const;
  void add_options(Instant now, const std::vector<RelayOption>& options);
  /// Of all origins whose turn it is.
  void add_known(Instant now);
  void feed_race(Instant now);
  void end_race();
  void drain_race(Instant now);
  void win(Instant now, const RelayOption& option);
  void lose(Instant now);
  /// The records are new: do they still name the relay in use?
  void compare_records(Instant now);
  /// The relays of `origin` are new: begins a race when it no longer names the relay in use, or (`has_news`) names
  /// better ones.
  void compare_with_current(Instant now, RelayOrigin origin, bool has_news);
  void restart_if_due(Instant now);
  [[nodiscard]] std::string subject() const;
  [[nodiscard]] std::string lookup_problem() const;

  const RelaySearchOptions& options_;
  WantedSource source_;
  HoldDowns& hold_downs_;
  Random& random_;
  Rediscovery rediscovery_;

  std::vector<RelayOption> defaults_;
  ServiceRelays services_;
  std::optional<SourceRecords> records_;
  bool dns_wanted_ = false;
  bool asking_dns_ = false;
  std::uint32_t dns_failures_ = 0;
  std::string dns_problem_;
  Instant refresh_at_ = kNoDeadline;

  std::optional<RelayRace> race_;
  RestartReason reason_ = RestartReason::kFirstSubscription;
  /// The race looks for another relay than the one in use.
  bool avoids_current_ = false;
  /// It looks no further than to relays of this origin.
  std::optional<RelayOrigin> last_origin_;
  /// Relays behind an origin that is still asked wait until then; `kNoDeadline`: none waits.
  Instant held_until_ = kNoDeadline;
  /// Attempts under way, and the relays that those which connected led to.
  std::vector<IpAddress> attempts_;
  std::map<IpAddress, ProbeOutcome> connected_;
  std::vector<std::string> failures_;
  std::uint32_t races_lost_ = 0;
  Instant retry_at_ = kNoDeadline;
  std::string problem_;

  std::optional<UseRelay> current_;
  Duration round_trip_{};
  bool delivering_ = false;
  /// It was delivering when the relay was asked about another source.
  bool doubted_ = false;
  bool silent_ = false;
  Instant suspect_at_ = kNoDeadline;
  /// Between `restore` and `resume`.
  bool resumes_race_ = false;

  std::deque<SearchStep> steps_;
};

}  // namespace amt
