#include "engine/relay_lookup.hh"

#include <algorithm>
#include <memory>

#include "ip/address.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

/// Names of one set that are asked for their addresses: with A and AAAA each, and the set's own query, a look-up stays
/// below the 10 queries that RFC 8777 §3.2.2 allows at a time.
constexpr std::size_t kNamesMax = 4;

/// One look-up under way; kept alive by the handlers of its queries.
class DriadLookup : public std::enable_shared_from_this<DriadLookup> {
 public:
  DriadLookup(DnsClient& dns, Random& random, const IpAddress& source, std::function<void(const DriadResult&)> on_done)
      : dns_(dns), random_(random), on_done_(std::move(on_done)) {
    result_.name = DomainName::reverse_of(source);
  }

  void start() {
    dns_.look_up(result_.name.to_string(), kAmtRelayType,
                 [self = shared_from_this()](const DnsAnswer& answer) { self->on_records(answer); });
  }

 private:
  void on_records(const DnsAnswer& answer);
  void look_up_addresses(std::size_t relay, const DomainName& name);
  void on_addresses(std::size_t relay, const DnsAnswer& answer);
  void add_option(FoundRelay& relay, const IpAddress& address);
  void tell_refusal() const;
  void finish_one();

  DnsClient& dns_;
  Random& random_;
  DriadResult result_;
  std::function<void(const DriadResult&)> on_done_;
  std::size_t open_ = 1;
};

void DriadLookup::on_records(const DnsAnswer& answer) {
  result_.canonical_name = answer.canonical_name;
  result_.dnssec = answer.dnssec;
  result_.ttl_seconds = answer.ttl_seconds;
  result_.problem = answer.problem;
  result_.denied = answer.denied;
  const std::vector<Bytes> records(answer.records.begin(), answer.records.end());
  AmtRelaySet set = read_amtrelay_set(records);
  result_.no_relay = set.no_relay;
  result_.skipped = std::move(set.errors);
  if (std::ranges::find(result_.skipped, AmtRelayError::kUnroutable) != result_.skipped.end()) tell_refusal();
  // In the order in which they are tried, so that the first names are those that count.
  std::ranges::stable_sort(set.relays, {}, &AmtRelay::precedence);
  for (AmtRelay& record : set.relays) result_.relays.push_back({std::move(record), {}, {}});
  std::size_t names = 0;
  for (std::size_t i = 0; i < result_.relays.size(); ++i) {
    FoundRelay& relay = result_.relays[i];
    if (const auto* address = std::get_if<IpAddress>(&relay.record.relay)) {
      add_option(relay, *address);
    } else if (names < kNamesMax) {
      ++names;
      look_up_addresses(i, std::get<DomainName>(relay.record.relay));
    } else {
      relay.problem = "not looked up: the record set has too many names";
    }
  }
  finish_one();
}

void DriadLookup::look_up_addresses(std::size_t relay, const DomainName& name) {
  for (const std::uint16_t type : {kDnsTypeAaaa, kDnsTypeA}) {
    ++open_;
    dns_.look_up(name.to_string(), type,
                 [self = shared_from_this(), relay](const DnsAnswer& answer) { self->on_addresses(relay, answer); });
  }
}

void DriadLookup::on_addresses(std::size_t relay, const DnsAnswer& answer) {
  FoundRelay& found = result_.relays[relay];
  if (found.problem.empty()) found.problem = answer.problem;
  for (const std::vector<std::byte>& octets : answer.records) {
    if (octets.size() == 4 || octets.size() == 16) add_option(found, IpAddress::from_bytes(octets));
  }
  if (!found.options.empty()) found.problem.clear();
  finish_one();
}

void DriadLookup::add_option(FoundRelay& relay, const IpAddress& address) {
  // As those of the record itself (`read_amtrelay_set`).
  if (!is_routed_unicast(address)) {
    relay.problem = address.to_string() + ": " + std::string(to_string(AmtRelayError::kUnroutable));
    return tell_refusal();
  }
  RelayOption option;
  option.destination = {address, source_address_towards(address)};
  option.origin = RelayOrigin::kDriad;
  option.precedence = relay.record.precedence;
  option.discovery_optional = relay.record.discovery_optional;
  option.lot = random_.u64();
  relay.options.push_back(option);
}

void DriadLookup::tell_refusal() const {
  log_info("AMTRELAY of {} names a {}: refused", result_.name.to_string(), to_string(AmtRelayError::kUnroutable));
}

void DriadLookup::finish_one() {
  if (--open_ == 0) on_done_(result_);
}

}  // namespace

void look_up_driad(DnsClient& dns, Random& random, const IpAddress& source,
                   std::function<void(const DriadResult&)> on_done) {
  std::make_shared<DriadLookup>(dns, random, source, std::move(on_done))->start();
}

std::string why_no_relay(const IpAddress& source, const DriadResult& driad) {
  const std::string name = driad.name.to_string();
  if (driad.denied) {
    return "no AMTRELAY record for " + source.to_string() + " in " + name + ": its owner names no relay";
  }
  if (!driad.problem.empty()) return "AMTRELAY of " + name + ": " + driad.problem;
  if (driad.no_relay) {
    return "the owner of " + source.to_string() + " says that no relay is to be used for it (AMTRELAY type 0 in " +
           name + ")";
  }
  for (const FoundRelay& relay : driad.relays) {
    if (!relay.options.empty()) return {};
  }
  if (driad.relays.empty()) return "AMTRELAY of " + name + ": no record that could be used";
  const FoundRelay& first = driad.relays.front();
  return "AMTRELAY of " + name + ": " + first.record.to_string() + ": " + first.problem;
}

SourceRecords source_records(const IpAddress& source, const DriadResult& driad) {
  SourceRecords records;
  for (const FoundRelay& relay : driad.relays) {
    records.options.insert(records.options.end(), relay.options.begin(), relay.options.end());
  }
  records.no_relay = driad.no_relay && records.options.empty();
  // Bogus answers, too, may be mended by the next.
  records.failed = !driad.problem.empty() && !driad.denied;
  records.lifetime = std::chrono::seconds(driad.ttl_seconds);
  records.problem = why_no_relay(source, driad);
  return records;
}

}  // namespace amt
