#include "cli/discover_report.hh"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace amt {
namespace {

namespace json = boost::json;

double milliseconds(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

std::string shown_time(Duration duration) { return fmt::format("{:.1f} ms", milliseconds(duration)); }

/// The failure of a look-up in one line: the question, the server, and the meaning.
std::string driad_line(const IpAddress& source, const DriadResult& driad) {
  if (driad.relays.empty() && driad.skipped.empty()) return why_no_relay(source, driad);
  return fmt::format("AMTRELAY of {}: {} record{}, DNSSEC {}, for {} s", driad.name.to_string(),
                     driad.relays.size() + driad.skipped.size(),
                     driad.relays.size() + driad.skipped.size() == 1 ? "" : "s", to_string(driad.dnssec),
                     driad.ttl_seconds);
}

std::string services_text(const ServicesFound& services) {
  if (services.domains.empty()) return "DNS-SD: no domain is known to ask for _amt._udp (--dns-sd-domain names one)\n";
  std::string text;
  for (const ServiceDomain& domain : services.domains) {
    text += fmt::format("_amt._udp.{}: ", domain.name.to_string());
    if (domain.instances == 0) {
      text += domain.problem + "\n";
    } else {
      text += fmt::format("{} record{}, DNSSEC {}, for {} s\n", domain.instances, domain.instances == 1 ? "" : "s",
                          domain.dnssec, domain.ttl_seconds);
    }
  }
  for (const ServiceRelay& relay : services.relays) {
    text += "  " + relay.instance.to_string();
    if (relay.location) text += " SRV " + relay.location->to_string();
    text += (relay.problem.empty() ? "" : ": " + relay.problem) + "\n";
  }
  return text;
}

std::string describe(const AskedRelay& relay) {
  std::string text = relay.target.to_string();
  if (relay.given) return text + " (--discovery)";
  if (relay.origin == RelayOrigin::kDnsSd) return text + " (DNS-SD, " + relay.via_name + ")";
  text += fmt::format(" (precedence {}", relay.precedence);
  if (relay.discovery_optional) text += ", D";
  if (!relay.via_name.empty()) text += ", " + relay.via_name;
  return text + ")";
}

const char* state_name(RelayProbe::State state) {
  switch (state) {
    case RelayProbe::State::kConnected:
      return "serves";
    case RelayProbe::State::kLimited:
      return "limited";
    case RelayProbe::State::kNoDiscovery:
      return "no_advertisement";
    case RelayProbe::State::kBadRelay:
      return "bad_advertisement";
    case RelayProbe::State::kNoAnswer:
    case RelayProbe::State::kDiscovering:
    case RelayProbe::State::kRequesting:
      break;
  }
  return "no_query";
}

json::value time_or_null(const std::optional<Duration>& duration) {
  return duration ? json::value(milliseconds(*duration)) : json::value(nullptr);
}
json::value endpoint_or_null(const std::optional<Endpoint>& endpoint) {
  return endpoint ? json::value(endpoint->to_string()) : json::value(nullptr);
}
json::string text_of(std::string_view text) { return json::string(text.data(), text.size()); }

json::object json_of(const ServicesFound& services) {
  json::array domains;
  for (const ServiceDomain& domain : services.domains) {
    domains.push_back(json::object{{"name", domain.name.to_string()},
                                   {"instances", domain.instances},
                                   {"dnssec", domain.dnssec},
                                   {"ttl_seconds", domain.ttl_seconds},
                                   {"problem", domain.problem}});
  }
  json::array instances;
  for (const ServiceRelay& relay : services.relays) {
    json::array addresses;
    for (const IpAddress& address : relay.addresses) addresses.emplace_back(address.to_string());
    instances.push_back(
        json::object{{"name", relay.instance.to_string()},
                     {"srv", relay.location ? json::value(relay.location->to_string()) : json::value(nullptr)},
                     {"addresses", std::move(addresses)},
                     {"problem", relay.problem}});
  }
  return {{"domains", std::move(domains)}, {"instances", std::move(instances)}, {"problem", services.problem}};
}

json::object json_of(const DriadResult& driad) {
  json::array records;
  for (const FoundRelay& relay : driad.relays) {
    json::array addresses;
    for (const RelayOption& option : relay.options) addresses.emplace_back(option.destination.address.to_string());
    records.push_back(json::object{{"record", relay.record.to_string()},
                                   {"precedence", relay.record.precedence},
                                   {"discovery_optional", relay.record.discovery_optional},
                                   {"addresses", std::move(addresses)},
                                   {"problem", relay.problem}});
  }
  json::array skipped;
  for (const AmtRelayError error : driad.skipped) skipped.push_back(text_of(to_string(error)));
  return {{"name", driad.name.to_string()},
          {"canonical_name", driad.canonical_name},
          {"dnssec", text_of(to_string(driad.dnssec))},
          {"ttl_seconds", driad.ttl_seconds},
          {"problem", driad.problem},
          {"no_relay", driad.no_relay},
          {"records", std::move(records)},
          {"skipped", std::move(skipped)}};
}

json::object json_of(const AskedRelay& relay, bool chosen) {
  return {{"target", relay.target.to_string()},
          {"origin", relay.given ? json::string("given") : text_of(to_string(relay.origin))},
          {"precedence", relay.precedence},
          {"discovery_optional", relay.discovery_optional},
          {"name", relay.via_name},
          {"state", state_name(relay.result.state)},
          {"relay", endpoint_or_null(relay.result.relay)},
          {"advertisement_milliseconds", time_or_null(relay.result.discovery_time)},
          {"query_milliseconds", time_or_null(relay.result.request_time)},
          {"limit", relay.result.state == RelayProbe::State::kLimited},
          {"seen_as", endpoint_or_null(relay.result.seen_as)},
          {"verdict", verdict(relay)},
          {"chosen", chosen}};
}

}  // namespace

std::string ServicesFound::instance_at(const RelayOption& option) const {
  for (const ServiceRelay& relay : relays) {
    const bool has_address = std::ranges::find(relay.addresses, option.destination.address) != relay.addresses.end();
    if (has_address && relay.location->port == option.port) return relay.instance.to_string();
  }
  return {};
}

std::string verdict(const AskedRelay& asked) {
  const ProbeResult& result = asked.result;
  const std::string relay = result.relay ? result.relay->to_string() : asked.target.to_string();
  const std::string advertised =
      result.discovery_time ? fmt::format("advertises {} in {}, which ", relay, shown_time(*result.discovery_time))
                            : "";
  if (result.state != RelayProbe::State::kConnected) return advertised + explain_failure(result);
  return advertised + fmt::format("answers in {}", shown_time(*result.request_time)) +
         (result.seen_as ? fmt::format(" and sees this host as {}", result.seen_as->to_string()) : "");
}

const AskedRelay* DiscoverReport::chosen() const {
  for (const AskedRelay& relay : relays) {
    if (relay.serves()) return &relay;
  }
  return nullptr;
}

std::string DiscoverReport::text() const {
  std::string text;
  if (services) text += services_text(*services);
  if (driad) {
    text += driad_line(*source, *driad) + "\n";
    if (!driad->canonical_name.empty()) text += "  alias of " + driad->canonical_name + "\n";
    for (const FoundRelay& relay : driad->relays) {
      text += "  " + relay.record.to_string() + (relay.problem.empty() ? "" : ": " + relay.problem) + "\n";
    }
    for (const AmtRelayError error : driad->skipped)
      text += fmt::format("  a record was skipped: {}\n", to_string(error));
  }
  for (const AskedRelay& relay : relays) text += fmt::format("{}: {}\n", describe(relay), verdict(relay));
  const AskedRelay* best = chosen();
  if (best == nullptr) return text + "no relay would serve this host\n";
  return text +
         fmt::format("a gateway here would use {}: the first in order that serves\n", best->result.relay->to_string());
}

std::string DiscoverReport::json() const {
  const AskedRelay* best = chosen();
  json::array asked;
  for (const AskedRelay& relay : relays) asked.push_back(json_of(relay, &relay == best));
  return json::serialize(
      json::object{{"source", source ? json::value(source->to_string()) : json::value(nullptr)},
                   {"dns_sd", services ? json::value(json_of(*services)) : json::value(nullptr)},
                   {"driad", driad ? json::value(json_of(*driad)) : json::value(nullptr)},
                   {"relays", std::move(asked)},
                   {"chosen", best != nullptr ? json::value(best->result.relay->to_string()) : json::value(nullptr)}});
}

}  // namespace amt
