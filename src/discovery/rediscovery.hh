#pragma once
/// When a gateway looks for a relay anew (RFC 8777 §3.3, RFC 7450 §5.2.3.4.1).

#include <cstdint>
#include <optional>
#include <string_view>

#include "amt/time.hh"
#include "base/random.hh"

namespace amt {

enum class RestartReason : std::uint8_t {
  kFirstSubscription,  ///< something is wanted and there is no relay for it
  kLimit,              ///< the relay takes no new gateways (L flag)
  kRelaySilent,        ///< it does not answer
  kNoTraffic,          ///< it answers, and delivers no data of the reported channels
  kNetworkChanged,     ///< this host is somewhere else now
  kRecordsChanged,     ///< the DNS does not name the relay in use any more
};
[[nodiscard]] std::string_view to_string(RestartReason reason);

struct RediscoveryOptions {
  Duration no_traffic_initial = std::chrono::seconds(4);
  /// "the recommended minimum NAT mapping timeout".
  Duration no_traffic_max = std::chrono::seconds(120);
};

/// The judgement for one tunnel; each has its own (D-3.3.7-a). A routine Request is no event here: it never restarts
/// discovery (D-3.3.3-a), nor does a Relay Discovery sent to the relay in use (D-3.3.6-a).
/// Decides, never sends; time is an argument. Not thread-safe.
class Rediscovery {
 public:
  Rediscovery(const RediscoveryOptions& options, Random& random);

  /// A subscription is wanted and no relay serves its source.
  void handle_unserved(Instant now);
  /// An Update with at least one subscription went to the relay. Until something of it arrives the patience runs.
  void handle_reported(Instant now);
  /// Data of a reported channel arrived: the relay is good, also after doubts.
  void handle_traffic();
  /// It stopped, and the relay is there. The patience runs from the first time on that this is said.
  void handle_paused(Instant now);
  /// Nothing is reported any more.
  void handle_left();
  /// The L flag, "for signaling overloading or a graceful shutdown" (RFC 8777 §3.3.5).
  void handle_limit(Instant now);
  void handle_silent(Instant now);
  void handle_network_change(Instant now);

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.restart_at_, self.delivering_, self.fruitless_);
    io.choice(self.reason_, RestartReason::kRecordsChanged);
  }

  [[nodiscard]] Instant next_deadline() const;
  /// Why discovery has to begin now, if it has to; returned once. The caller holds the relay down after `kLimit` and
  /// `kNoTraffic` (HoldDowns).
  [[nodiscard]] std::optional<RestartReason> poll_restart(Instant now);

 private:
  void schedule(Instant at, RestartReason reason);

  RediscoveryOptions options_;
  Random& random_;
  Instant restart_at_ = kNoDeadline;
  RestartReason reason_ = RestartReason::kFirstSubscription;
  bool delivering_ = false;
  /// Restarts in a row for want of traffic.
  std::uint32_t fruitless_ = 0;
};

}  // namespace amt
