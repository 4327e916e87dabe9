#pragma once
/// DRIAD: from a source's address to the relays that its owner names in the DNS (RFC 8777 §3.4).

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hh"
#include "discovery/amtrelay.hh"
#include "discovery/dns_answer.hh"
#include "discovery/relay_search.hh"

namespace amt {

/// One AMTRELAY record and its outcome.
struct FoundRelay {
  AmtRelay record;
  /// Its addresses: the one in the record, or those of its name. Their source addresses are not filled in.
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
  /// Records that are not well-formed, of an unknown type, or with an address that no relay can have.
  std::vector<AmtRelayError> skipped;
  /// A record, or a name in one, led to an address that no relay can have.
  bool has_unroutable = false;
};

struct DriadQuestion {
  std::string name;
  std::uint16_t type = 0;
  /// Given back with the answer.
  std::size_t number = 0;
};

/// One look-up of the AMTRELAY records of a source and of the addresses of the names in them. Precedence and D bit
/// carry over from a name to its addresses (D-4.2.4-b). Decides, never sends: one input, then `poll_question` until it
/// gives nothing.
class DriadLookup {
 public:
  /// Names of one set that are asked for their addresses: with A and AAAA each, and the set's own query, a look-up
  /// stays below the 10 queries that RFC 8777 §3.2.2 allows at a time.
  static constexpr std::size_t kNamesMax = 4;

  DriadLookup(Random& random, const IpAddress& source);

  [[nodiscard]] std::optional<DriadQuestion> poll_question();
  void handle_answer(std::size_t number, const DnsAnswer& answer);

  /// Every question was answered.
  [[nodiscard]] bool is_done() const { return unanswered_ == 0; }
  [[nodiscard]] const DriadResult& result() const { return result_; }

 private:
  void handle_records(const DnsAnswer& answer);
  void handle_addresses(FoundRelay& relay, const DnsAnswer& answer);
  void ask(std::string name, std::uint16_t type, std::size_t relay);
  void add_option(FoundRelay& relay, const IpAddress& address);

  Random& random_;
  DriadResult result_;
  std::deque<DriadQuestion> questions_;
  /// By question: the relay whose addresses it asks for. The first question asks for the records.
  std::vector<std::size_t> relay_of_;
  std::size_t unanswered_ = 0;
};

/// Why `driad` names no relay that could be asked, in one line; empty: it names some.
[[nodiscard]] std::string why_no_relay(const IpAddress& source, const DriadResult& driad);

/// For the log: that `driad` named an address that no relay can have; empty: it did not.
[[nodiscard]] std::string unroutable_notice(const DriadResult& driad);

/// The same look-up as RelaySearch takes it.
[[nodiscard]] SourceRecords source_records(const IpAddress& source, const DriadResult& driad);

}  // namespace amt
