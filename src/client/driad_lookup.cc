#include "client/driad_lookup.hh"

#include <algorithm>
#include <variant>

#include "base/assert.hh"
#include "discovery/service_search.hh"
#include "ip/address.hh"

namespace amt {

DriadLookup::DriadLookup(Random& random, const IpAddress& source) : random_(random) {
  result_.name = DomainName::reverse_of(source);
  ask(result_.name.to_string(), kAmtRelayType, 0);
}

void DriadLookup::ask(std::string name, std::uint16_t type, std::size_t relay) {
  questions_.push_back({std::move(name), type, relay_of_.size()});
  relay_of_.push_back(relay);
  ++unanswered_;
}

std::optional<DriadQuestion> DriadLookup::poll_question() {
  if (questions_.empty()) return std::nullopt;
  DriadQuestion question = std::move(questions_.front());
  questions_.pop_front();
  return question;
}

void DriadLookup::handle_answer(std::size_t number, const DnsAnswer& answer) {
  AMT_ASSERT(number < relay_of_.size() && unanswered_ > 0);
  if (number == 0) {
    handle_records(answer);
  } else {
    handle_addresses(result_.relays[relay_of_[number]], answer);
  }
  --unanswered_;
}

void DriadLookup::handle_records(const DnsAnswer& answer) {
  result_.canonical_name = answer.canonical_name;
  result_.dnssec = answer.dnssec;
  result_.ttl_seconds = answer.ttl_seconds;
  result_.problem = answer.problem;
  result_.denied = answer.denied;
  const std::vector<Bytes> records(answer.records.begin(), answer.records.end());
  AmtRelaySet set = read_amtrelay_set(records);
  result_.no_relay = set.no_relay;
  result_.skipped = std::move(set.errors);
  result_.has_unroutable = std::ranges::find(result_.skipped, AmtRelayError::kUnroutable) != result_.skipped.end();
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
      const std::string name = std::get<DomainName>(relay.record.relay).to_string();
      ask(name, static_cast<std::uint16_t>(DnsType::kAaaa), i);
      ask(name, static_cast<std::uint16_t>(DnsType::kA), i);
    } else {
      relay.problem = "not looked up: the record set has too many names";
    }
  }
}

void DriadLookup::handle_addresses(FoundRelay& relay, const DnsAnswer& answer) {
  if (relay.problem.empty()) relay.problem = answer.problem;
  for (const std::vector<std::byte>& octets : answer.records) {
    if (octets.size() == 4 || octets.size() == 16) add_option(relay, IpAddress::from_bytes(octets));
  }
  if (!relay.options.empty()) relay.problem.clear();
}

void DriadLookup::add_option(FoundRelay& relay, const IpAddress& address) {
  // As those of the record itself (`read_amtrelay_set`).
  if (!is_routed_unicast(address)) {
    relay.problem = address.to_string() + ": " + std::string(to_string(AmtRelayError::kUnroutable));
    result_.has_unroutable = true;
    return;
  }
  RelayOption option;
  option.destination.address = address;
  option.origin = RelayOrigin::kDriad;
  option.precedence = relay.record.precedence;
  option.discovery_optional = relay.record.discovery_optional;
  option.lot = random_.u64();
  relay.options.push_back(option);
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

std::string unroutable_notice(const DriadResult& driad) {
  if (!driad.has_unroutable) return {};
  return "AMTRELAY of " + driad.name.to_string() + " names a " + std::string(to_string(AmtRelayError::kUnroutable)) +
         ": refused";
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
