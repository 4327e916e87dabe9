#pragma once
/// The views of a running relay or gateway, and the samples of its history.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/gateway/gateway_engine.hh"
#include "engine/relay/relay_engine.hh"
#include "observe/health.hh"
#include "observe/history.hh"
#include "observe/http_views.hh"
#include "observe/relay_health.hh"

namespace amt {

/// Lives on the engine's thread; the engine outlives it, and it outlives the servers of its routes.
class RelayMonitor {
 public:
  RelayMonitor(EventLoop& loop, RelayEngine& engine, const RelayEngineOptions& options, Random& random);
  RelayMonitor(const RelayMonitor&) = delete;
  RelayMonitor& operator=(const RelayMonitor&) = delete;
  ~RelayMonitor();

  [[nodiscard]] HttpRoutes routes();
  /// The engine has other addresses.
  void reload(const RelayEngineOptions& options) { health_.set_addresses(options.local, options.discovery); }

 private:
  void sample();

  RelayEngine& engine_;
  RelayHealth health_;
  History history_{"gateways"};
  HistoryTotals totals_{};
  /// By worker, at the last sample.
  std::vector<std::uint64_t> bytes_in_{};
  // Last: it ends before the members that its handler uses.
  Timer timer_;
};

/// The same for a gateway.
class GatewayMonitor {
 public:
  GatewayMonitor(EventLoop& loop, const GatewayEngine& engine);
  GatewayMonitor(const GatewayMonitor&) = delete;
  GatewayMonitor& operator=(const GatewayMonitor&) = delete;
  ~GatewayMonitor();

  [[nodiscard]] HttpRoutes routes();

 private:
  void sample();

  const GatewayEngine& engine_;
  History history_{"memberships"};
  Timer timer_;
};

}  // namespace amt
