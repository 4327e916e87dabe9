#pragma once
/// The addresses of a relay's host while it runs: another lease, another prefix.

#include <functional>
#include <set>
#include <vector>

#include "amt/endpoint.hh"
#include "engine/runtime/event_loop.hh"
#include "engine/runtime/network_events.hh"

namespace amt {

/// Without `--local` the relay serves the addresses of the default routes, and another one when such an address is
/// gone. Of those that were given, the log says when one is lost and when it is back; its socket is kept for that.
/// Lives on its event loop's thread.
class OwnAddresses {
 public:
  /// Has the relay serve these instead of all others. False: it cannot, and is asked again after the next change.
  using Serve = std::function<bool(const std::vector<IpAddress>& local)>;

  /// `by_route`: the addresses are those of the default routes.
  OwnAddresses(EventLoop& loop, bool by_route, Serve serve);
  /// Error: changes go unnoticed.
  [[nodiscard]] SysResult<void> start() { return events_.start(); }
  /// What is served now: from the start, and after a reload.
  void set_served(const std::vector<Endpoint>& local, bool by_route);

 private:
  void on_change();
  void follow_routes();
  void look_for_lost();

  bool by_route_;
  Serve serve_;
  std::vector<IpAddress> served_;
  std::set<IpAddress> lost_;
  NetworkEvents events_;
};

}  // namespace amt
