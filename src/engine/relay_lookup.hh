#pragma once
/// DRIAD on an event loop: from a source's address to the relays that its owner names in the DNS (RFC 8777 §3.4).

#include <functional>

#include "client/driad_lookup.hh"
#include "engine/dns_client.hh"

namespace amt {

/// Asks for the AMTRELAY records of `source` and the addresses of the names in them. `on_done` is called once, from the
/// event loop or at once, or never when `dns` ends before. `random` outlives the look-up.
void look_up_driad(DnsClient& dns, Random& random, const IpAddress& source,
                   std::function<void(const DriadResult&)> on_done);

}  // namespace amt
