#pragma once
/// Happy Eyeballs over relays (RFC 8305 §5 with RFC 8777 §3.2): several are asked, a little apart, and the first that
/// answers as it should is taken.

#include <optional>
#include <variant>
#include <vector>

#include "amt/time.hh"
#include "base/random.hh"
#include "discovery/hold_downs.hh"
#include "discovery/relay_preference.hh"

namespace amt {

/// Begin to connect: Relay Discovery unless `discovery_optional`, then Request. No Update: that is for the winner.
struct StartAttempt {
  RelayOption option;
};
/// This one is connected, its membership reports may go. Nothing more is to be sent for the others (D-3.2.3-b).
struct RaceWon {
  RelayOption option;
};
/// All that was found was tried in vain, and the look-ups are over.
struct RaceLost {};
using RaceStep = std::variant<StartAttempt, RaceWon, RaceLost>;

struct RaceOptions {
  /// Between two attempts; held within `kAttemptDelayMin` and `kAttemptDelayMax` (D-8305-a).
  Duration attempt_delay = std::chrono::milliseconds(250);
  std::vector<RelayOrigin> order = default_discovery_order();
  /// The purpose of the relay: the hold-downs of that purpose count.
  WantedSource source = {};
  /// No relay is in use: a relay that delivered nothing before is better than none, once all others were tried. RFC
  /// 6724 rule 1 puts an unusable destination last and does not remove it (D-3.1.2-d).
  bool unserved = true;
};

/// Decides, never sends: one input, then `poll_step` until it gives nothing. Time is an argument. Not thread-safe.
class RelayRace {
 public:
  static constexpr Duration kAttemptDelayMin = std::chrono::milliseconds(10);
  static constexpr Duration kAttemptDelayMax = std::chrono::seconds(2);
  /// Options beyond are ignored: DNS answers are not ours to trust.
  static constexpr std::size_t kOptionsMax = 64;

  /// `hold_downs` outlives this object. Relays that are held down do not run (D-3.1.2-d), but for `unserved`.
  RelayRace(RaceOptions options, const HoldDowns& hold_downs, Random& random);

  /// One more relay was found, at any time; the race does not wait for late answers (D-3.2.2-b). A repeated address
  /// keeps the better of both places. `option.lot` is drawn here.
  void add(Instant now, RelayOption option);
  /// All look-ups have ended.
  void lookups_done(Instant now);
  /// A valid Membership Query came of the attempt for `relay`. With the L flag that is a refusal.
  void handle_query(Instant now, const IpAddress& relay, bool limit);
  /// The attempt failed: its tries are used up, or it is unreachable. The next begins at once (RFC 8305 §5).
  void handle_failure(Instant now, const IpAddress& relay);
  void handle_timeout(Instant now);
  /// When the next attempt may begin; `kNoDeadline` when none waits.
  [[nodiscard]] Instant next_deadline() const { return next_start_; }

  [[nodiscard]] std::optional<RaceStep> poll_step();
  [[nodiscard]] bool is_over() const { return over_; }

 private:
  enum class State : std::uint8_t { kWaiting, kRunning, kFailed };
  struct Runner {
    RelayOption option;
    State state = State::kWaiting;
  };

  [[nodiscard]] Runner* find(const IpAddress& relay);
  [[nodiscard]] bool is_running() const;
  [[nodiscard]] Runner* best_waiting(Instant now, bool fruitless_too);
  [[nodiscard]] Runner* next_runner(Instant now);
  void fail(Instant now, Runner& runner);
  void advance(Instant now);
  void end(RaceStep last);

  RaceOptions options_;
  const HoldDowns& hold_downs_;
  Random& random_;
  std::vector<Runner> runners_;
  std::vector<RaceStep> steps_;
  Instant last_start_ = Instant::min();
  /// When the best of those that wait may begin.
  Instant next_start_ = kNoDeadline;
  /// An attempt failed since the last one began: the next need not keep the full distance.
  bool hurry_ = false;
  bool lookups_done_ = false;
  bool over_ = false;
};

}  // namespace amt
