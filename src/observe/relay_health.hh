#pragma once
/// A relay that asks itself whether it serves.

#include <memory>
#include <optional>
#include <vector>

#include "engine/gateway/relay_survey.hh"
#include "engine/relay/relay_engine.hh"
#include "observe/health.hh"

namespace amt {

/// As a gateway would, it sends a Relay Discovery to each address and a Request to each unicast one, and no Update. It
/// asks each worker for a sign of life, and the kernel for the upstream interfaces. Lives on the engine's thread; the
/// engine outlives it.
class RelayHealth {
 public:
  /// A check without an answer by then fails.
  static constexpr Duration kPatience = std::chrono::milliseconds(1500);
  /// A request within this time after an answer gets the same one, so that no client can have the relay probe itself
  /// more often.
  static constexpr Duration kValidFor = std::chrono::seconds(1);

  RelayHealth(EventLoop& loop, RelayEngine& engine, std::vector<Endpoint> local, std::vector<Endpoint> discovery,
              Random& random);
  ~RelayHealth();

  /// In place of those that it had.
  void set_addresses(std::vector<Endpoint> local, std::vector<Endpoint> discovery) {
    local_ = std::move(local);
    discovery_ = std::move(discovery);
  }
  /// `done` once, unless this object is destroyed first.
  void check(HealthDone done);

 private:
  struct Run;
  void begin();
  void ask_address(const std::shared_ptr<Run>& run, const Endpoint& address, bool directly);
  void finish();

  RelayEngine& engine_;
  std::vector<Endpoint> local_;
  std::vector<Endpoint> discovery_;
  RelaySurvey survey_;
  std::vector<HealthDone> waiting_{};
  /// None: no check is under way.
  std::shared_ptr<Run> run_{};
  HealthReport last_{};
  Instant last_at_{};
  bool has_last_ = false;
  // Last: it ends before the members that its handler uses.
  Timer timer_;
};

}  // namespace amt
