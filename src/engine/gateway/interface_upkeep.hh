#pragma once
/// Sets up the gateway's own interface for multicast, and keeps it so.

#include <optional>
#include <string>
#include <vector>

#include "ip/address.hh"
#include "sys/error.hh"

namespace amt {

struct InterfaceSettings {
  /// Multicast prefixes that are routed to the interface.
  std::vector<Prefix> routes;
  std::vector<Prefix> addresses;
  /// For programs that choose an interface by its IPv4 address: kDummyAddress, unless another interface has it.
  bool dummy_address = false;
  /// The bridge that it is a port of.
  std::optional<std::string> bridge;
};

/// Other programs change the settings: the kernel drops an interface's routes when it goes down, systemd-networkd drops
/// those that it does not know when it starts, an administrator sets rp_filter. Control plane only; blocking netlink
/// calls.
class InterfaceUpkeep {
 public:
  /// RFC 7600 §4.8 reserves it for a node without an IPv4 address.
  static constexpr const char* kDummyAddress = "192.0.0.8/32";

  InterfaceUpkeep(std::string name, int index, InterfaceSettings settings);

  /// Sets everything, and the interface up. A failure of an optional setting is a warning.
  [[nodiscard]] SysResult<void> install();
  /// After a change of interfaces: sets again missing settings while the interface is up, and logs them.
  void check();

 private:
  /// `again`: each setting that was missing is logged.
  void set_all(bool again);
  void set_reverse_path(bool again);
  void set_address(const Prefix& address, bool again);
  [[nodiscard]] bool is_elsewhere(const IpAddress& address) const;
  [[nodiscard]] SysResult<void> join_bridge() const;

  std::string name_;
  int index_;
  InterfaceSettings settings_;
};

}  // namespace amt
