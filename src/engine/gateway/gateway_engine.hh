#pragma once
/// A running gateway with interfaces: applications join groups on its own as on any other, and hosts on the LANs behind
/// it as they would with a multicast router (RFC 4605).

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/gateway/downstream.hh"
#include "engine/gateway/gateway_inheritance.hh"
#include "engine/gateway/interface_upkeep.hh"
#include "engine/gateway/lan_downstream.hh"
#include "engine/gateway/native_lans.hh"
#include "engine/gateway/relay_set.hh"
#include "gateway/group_meter.hh"
#include "ip/address.hh"

namespace amt {

struct GatewayEngineOptions {
  RelaySetOptions relays;
  std::string interface = "amt0";
  /// An Ethernet interface, to be a port of a bridge.
  bool tap = false;
  std::uint32_t mtu_octets = 1500;
  InterfaceSettings settings;
  /// Interfaces of this host with listeners behind them.
  std::vector<std::string> downstream;
  LanDownstreamOptions lan;
  /// The local network first, on that interface or those that routes name.
  bool native = false;
  std::optional<std::string> native_interface;
  /// What another process had, to go on with; null: nothing. Its descriptors are taken.
  GatewayInheritance* inheritance = nullptr;
};

/// Lives on its loop's thread. The interface exists from `create` to the end of this object.
class GatewayEngine {
 public:
  /// Error EBADMSG: what another process had is of no use.
  static SysResult<std::unique_ptr<GatewayEngine>> create(Loop& loop, GatewayEngineOptions options, Random& random);
  ~GatewayEngine();

  /// For another process, which goes on where this one stands: a document, and what belongs to it. This one does
  /// nothing more then, or goes on as if nobody had asked.
  [[nodiscard]] StateOctets state(const BootId& boot) const;
  [[nodiscard]] std::vector<LentDescriptor> descriptors() const;

  /// `handler(error)` once, when the interface cannot be read any more because it was deleted. Nothing arrives on it
  /// from then on; the tunnels live.
  void on_interface_lost(std::function<void(const SysError&)> handler);
  void shutdown();

  [[nodiscard]] const RelaySet& relays() const;
  [[nodiscard]] const std::string& interface() const;
  /// The local network comes first.
  [[nodiscard]] bool is_native() const;
  void for_each_native_lan(const std::function<void(const NativeLan&)>& visit) const;
  /// The interface of its own first. The use of a wanted group.
  [[nodiscard]] GroupUse group_use(Instant now, const IpAddress& group) const;
  void for_each_downstream(const std::function<void(const Downstream&)>& visit) const;

 private:
  struct Impl;
  explicit GatewayEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
