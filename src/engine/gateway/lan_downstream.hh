#pragma once
/// A LAN behind the gateway: several hosts, perhaps other multicast routers (RFC 4605 §4, P-f, P-g).

#include <memory>

#include "engine/gateway/downstream.hh"
#include "engine/gateway/lan_link.hh"
#include "engine/runtime/loop.hh"
#include "membership/lan_membership.hh"

namespace amt {

struct LanDownstreamOptions {
  LanMembershipOptions membership;
  /// Forward where another router is the querier, too. RFC 4605 §3 allows it where this is the only proxy of the LAN;
  /// the querier may then be a switch that forwards nothing.
  bool forward_always = false;
};

/// `handler(error)` once, when `link` cannot be read any more and will not come back. May be empty for a link that is
/// opened again when it was lost.
using LinkLostHandler = std::function<void(const SysError&)>;

/// `link` is open. A link that goes down or is lost takes its memberships with it; when it is back, its hosts are asked
/// anew.
[[nodiscard]] std::unique_ptr<Downstream> make_lan_downstream(Loop& loop, std::unique_ptr<LanLink> link,
                                                              const LanDownstreamOptions& options,
                                                              LinkLostHandler on_lost);

}  // namespace amt
