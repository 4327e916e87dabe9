#include "library/way_to_relay.hh"

#include <fmt/format.h>

#include <algorithm>

#include "ip/address.hh"
#include "sys/log.hh"

namespace amt {
namespace {

/// The addresses of `name` that a tunnel from `local` can reach.
Result<std::vector<IpAddress>, std::string> addresses_of(const std::string& name, const std::optional<IpAddress>& local,
                                                         const NameLookup& look_up) {
  HostAddresses addresses = look_up(name);
  if (!addresses) {
    return Unexpected<std::string>(
        fmt::format("--relay {}: cannot be looked up: {} (give its address instead)", name, addresses.error().text));
  }
  std::erase_if(*addresses, [&](const IpAddress& address) {
    // Loopback may be meant: `localhost` is a name, too, and this one was given by the user.
    return !(is_routed_unicast(address) || address.is_loopback()) || (local && local->family() != address.family());
  });
  if (addresses->empty()) {
    return Unexpected<std::string>(fmt::format("--relay {}: has no usable address{}", name,
                                               local ? " of the family of --local " + local->to_string() : ""));
  }
  return std::move(*addresses);
}

RelayOrigin origin_of(DiscoverWay way) {
  switch (way) {
    case DiscoverWay::kDnsSd:
      return RelayOrigin::kDnsSd;
    case DiscoverWay::kDriad:
      return RelayOrigin::kDriad;
    case DiscoverWay::kAnycast:
      break;
  }
  return RelayOrigin::kAnycast;
}

}  // namespace

std::vector<DomainName> service_domains(const DnsChoice& choice) {
  std::vector<DomainName> domains;
  for (const std::string& domain : choice.service_domains) {
    // Host names all are domain names.
    if (const std::optional<DomainName> name = DomainName::parse(domain)) domains.push_back(*name);
  }
  return domains;
}

DnsResolverOptions resolver_options(const DnsChoice& choice) {
  DnsResolverOptions options;
  options.resolvers = choice.resolvers;
  switch (choice.dnssec) {
    case Dnssec::kRequire:
      options.dnssec = DnssecPolicy::kRequire;
      break;
    case Dnssec::kPrefer:
      options.dnssec = DnssecPolicy::kPrefer;
      break;
    case Dnssec::kOff:
      options.dnssec = DnssecPolicy::kOff;
      break;
  }
  options.trust_anchor_file = choice.trust_anchor;
  return options;
}

Result<ClientOptions, std::string> client_options(const RelayChoice& choice, const NameLookup& look_up) {
  ClientOptions options;
  bool any_name = false;
  const auto add_relay = [&options](const Endpoint& relay) {
    options.gateway.candidates.push_back({RelayCandidate::Kind::kRelay, relay});
  };
  for (const RelayHost& relay : choice.relays) {
    if (const auto* address = std::get_if<IpAddress>(&relay.host)) {
      add_relay({*address, relay.port});
      options.names.push_back({.endpoints = {{*address, relay.port}}});
      continue;
    }
    const auto& name = std::get<std::string>(relay.host);
    const Result<std::vector<IpAddress>, std::string> addresses = addresses_of(name, choice.local, look_up);
    if (!addresses) return Unexpected<std::string>(addresses.error());
    any_name = true;
    NamedRelay& named = options.names.emplace_back(NamedRelay{.name = name, .port = relay.port});
    for (const IpAddress& address : *addresses) {
      log_debug("{} is {}", name, address.to_string());
      add_relay({address, relay.port});
      named.endpoints.push_back({address, relay.port});
    }
  }
  if (!any_name) options.names.clear();
  for (const Endpoint& address : choice.discovery) {
    options.gateway.candidates.push_back({RelayCandidate::Kind::kDiscovery, address});
  }
  options.gateway.relay_port = choice.relay_port;
  // E-9601-e: the socket reads the outer ECN field, so by default the E flag is set.
  options.gateway.ecn_capable = !choice.no_ecn;
  options.local = choice.local;
  options.port = choice.gateway_port;
  options.search.order.clear();
  for (const DiscoverWay way : choice.discover_order) options.search.order.push_back(origin_of(way));
  options.service_domains = service_domains(choice.dns);
  return options;
}

RelayChoice relays_for(const ChannelUrl& url, RelayChoice choice) {
  if (url.relay) choice.relays = {*url.relay};
  return choice;
}

Result<RelaySetOptions, std::string> relay_set_options(Loop& loop, const RelayChoice& choice,
                                                       const NameLookup& look_up) {
  Result<ClientOptions, std::string> client = client_options(choice, look_up);
  if (!client) return Unexpected<std::string>(client.error());
  RelaySetOptions options;
  options.client = std::move(*client);
  const bool asks_dns =
      std::ranges::any_of(choice.discover_order, [](DiscoverWay way) { return way != DiscoverWay::kAnycast; });
  if (!options.client.gateway.candidates.empty() || !asks_dns) return options;
  Result<std::unique_ptr<DnsClient>, std::string> dns = DnsClient::create(loop, resolver_options(choice.dns));
  if (dns) {
    options.dns = std::move(*dns);
    return options;
  }
  // Without the DNS there still are the anycast addresses, unless signatures are required.
  std::erase_if(options.client.search.order, [](RelayOrigin origin) { return origin != RelayOrigin::kAnycast; });
  if (options.client.search.order.empty() || choice.dns.dnssec == Dnssec::kRequire || choice.dns.trust_anchor) {
    return Unexpected<std::string>(dns.error());
  }
  log_warn("the DNS is not asked for relays: {}", dns.error());
  return options;
}

}  // namespace amt
