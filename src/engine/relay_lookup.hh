#pragma once
/// DRIAD: from a source's address to the relays that its owner names in the DNS (RFC 8777 §3.4).

#include <functional>
#include <string>
#include <vector>

#include "base/random.hh"
#include "discovery/amtrelay.hh"
#include "discovery/relay_search.hh"
#include "engine/dns_client.hh"

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
/// over, D-4.2.4-b). `on_done` is called once, from the event loop or at once, or never when `dns` ends before.
void look_up_driad(DnsClient& dns, Random& random, const IpAddress& source,
                   std::function<void(const DriadResult&)> on_done);

/// Why `driad` names no relay that could be asked, in one line; empty: it names some.
[[nodiscard]] std::string why_no_relay(const IpAddress& source, const DriadResult& driad);

/// The same look-up as RelaySearch takes it.
[[nodiscard]] SourceRecords source_records(const IpAddress& source, const DriadResult& driad);

}  // namespace amt
