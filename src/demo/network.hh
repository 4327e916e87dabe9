#pragma once
/// The demo's network, in namespaces of its own:
///
///     source ---- relay ---- gateway host, IPv4 only   (amt0)
///                   | `----- gateway host, IPv6 only   (amt0)
///                   `------- receiver, both
///
/// The relay forwards nothing by itself: there is no way from the source to the others but the tunnels.

#include <array>

#include "sys/namespace.hh"

namespace amt {

/// Gone with this object and the processes inside.
struct DemoNetwork {
  NetworkNamespace source;
  NetworkNamespace relay;
  /// In the order of `family_plans()`.
  std::array<NetworkNamespace, 2> gateways;
  NetworkNamespace receiver;

  /// Needs the rights to make network namespaces (see `enter_user_namespace`).
  static SysResult<DemoNetwork> build();

  /// The kernel brings a link up in its own time, up to a second later; datagrams before that are lost.
  [[nodiscard]] bool links_ready() const;
};

}  // namespace amt
