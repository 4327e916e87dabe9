#pragma once
/// Relays that were given by name: where they are now.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amt/endpoint.hh"
#include "engine/event_loop.hh"
#include "sys/host_lookup.hh"

namespace amt {

/// A relay as it was given, in order.
struct NamedRelay {
  /// Empty: `endpoints` is what was given, and stays.
  std::string name = {};
  std::uint16_t port = 0;
  /// What the name stood for last.
  std::vector<Endpoint> endpoints = {};
};

/// Looks names up again: every few minutes (the C library tells no TTL), and soon while the relay does not answer. What
/// cannot be looked up keeps its addresses. Lives on its event loop's thread.
class RelayNames {
 public:
  static constexpr Duration kRefresh = std::chrono::minutes(5);
  static constexpr Duration kHurry = std::chrono::seconds(10);

  /// Every relay's addresses, in order, when a name stands for others than before.
  using ChangeHandler = std::function<void(const std::vector<Endpoint>& relays)>;
  /// `local`: names count by addresses of its family only.
  RelayNames(EventLoop& loop, std::vector<NamedRelay> relays, const std::optional<IpAddress>& local,
             ChangeHandler on_change);

  /// The relay in use does not answer, or does again.
  void set_trouble(bool trouble);
  void stop() { timer_.set(kNoDeadline); }

 private:
  void on_timer();
  void begin(Instant now);
  void take_answers();
  [[nodiscard]] bool is_usable(const IpAddress& address) const;

  std::vector<NamedRelay> relays_;
  std::optional<IpAddress> local_;
  ChangeHandler on_change_;
  bool trouble_ = false;
  Instant last_;
  /// By place in `relays_`; empty: nothing is under way.
  std::vector<std::unique_ptr<HostLookup>> lookups_;
  Timer timer_;
};

}  // namespace amt
