#pragma once
/// A running gateway with an interface: applications join groups on it as on any other.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/gateway_connection.hh"
#include "ip/address.hh"

namespace amt {

struct GatewayEngineOptions {
  GatewayConnectionOptions connection;
  std::string interface = "amt0";
  /// Multicast prefixes that are routed to the interface, so that joins without an interface find it.
  std::vector<Prefix> routes;
};

/// Lives on its event loop's thread. The interface exists from `create` to the end of this object.
class GatewayEngine {
 public:
  static SysResult<std::unique_ptr<GatewayEngine>> create(EventLoop& loop, const GatewayEngineOptions& options,
                                                          Random& random);
  ~GatewayEngine();

  /// `handler(error)` once, when the interface cannot be read any more: somebody deleted it. Nothing arrives on it from
  /// then on; the connection to the relay lives.
  void on_interface_lost(std::function<void(const SysError&)> handler);
  void shutdown();

  [[nodiscard]] const GatewayConnection& connection() const;
  [[nodiscard]] const std::string& interface() const;
  /// Datagrams that the interface did not take (its queue was full, or it was down).
  [[nodiscard]] std::uint64_t interface_drops() const;

 private:
  struct Impl;
  explicit GatewayEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
