#pragma once
/// DRIAD: from a source's address to the relays that its owner names in the DNS (RFC 8777 §3.4).

#include <functional>
#include <string>
#include <vector>

#include "base/random.hh"
#include "discovery/amtrelay.hh"
#include "discovery/relay_preference.hh"
#include "io/dns_resolver.hh"

namespace amt {

/// One AMTRELAY record and what became of it.
struct FoundRelay {
  AmtRelay record;
  /// Its addresses: the one in the record, or those of its name.
  std::vector<RelayOption> options;
  /// Why a name has none.
  std::string problem;
};

struct DriadResult {
  DomainName name;
  /// Where a CNAME or DNAME led.
  std::string canonical_name;
  DnssecState dnssec = DnssecState::kUnchecked;
  std::uint32_t ttl_seconds = 0;
  /// Why there are no records; empty: there are.
  std::string problem;
  /// The name or the type certainly does not exist.
  bool denied = false;
  bool no_relay = false;
  std::vector<FoundRelay> relays;
  /// Records that are not well-formed, or of a type we do not know.
  std::vector<AmtRelayError> skipped;
};

/// Asks for the AMTRELAY records of `source` and the addresses of the names in them (type 3: precedence and D bit carry
/// over, D-4.2.4-b). `on_done` is called once, from the resolver's `process`, or never when the resolver ends before.
/// Few enough names are looked up to stay within the budget of RFC 8777 §3.2.2.
void look_up_driad(DnsResolver& resolver, Random& random, const IpAddress& source,
                   std::function<void(const DriadResult&)> on_done);

}  // namespace amt
