#include "engine/service_lookup.hh"

#include <algorithm>
#include <utility>

#include "sys/clock.hh"
#include "sys/netlink.hh"
#include "sys/resolver_file.hh"

namespace amt {
namespace {

/// Of these, as many as leave the budget (RFC 8777 §3.2.2) room for a source's records at the same moment.
constexpr std::size_t kNamedMax = 3;

}  // namespace

ServiceDomains service_domains_of_this_host() {
  ServiceDomains domains;
  for (const std::string& domain : read_resolver_file().search_domains) {
    const std::optional<DomainName> name = DomainName::parse(domain);
    if (!name || *name == DomainName() || domains.named.size() >= kNamedMax) continue;
    domains.named.push_back(*name);
  }
  domains.advisers = domains.named;
  const SysResult<std::vector<LinkAddress>> addresses = list_addresses();
  if (!addresses) return domains;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const std::optional<IpAddress> own = default_route_address(family);
    // "SHOULD NOT be done for IPv4 link-local addresses or IPv6 link-local addresses"
    if (!own || own->is_link_local() || own->is_loopback()) continue;
    const auto address =
        std::ranges::find_if(*addresses, [&](const LinkAddress& one) { return one.address.address == *own; });
    if (address == addresses->end()) continue;
    domains.advisers.push_back(DomainName::reverse_of(base_address(address->address)));
  }
  return domains;
}

ServiceLookup::ServiceLookup(EventLoop& loop, DnsClient& dns, Random& random, std::vector<DomainName> domains,
                             ChangeHandler on_change)
    : dns_(dns), domains_(std::move(domains)), on_change_(std::move(on_change)), search_(random), timer_(loop, [this] {
        on_timer();
      }) {
  start(monotonic_now());
}

void ServiceLookup::start(Instant now) {
  search_.start(now, domains_.empty() ? service_domains_of_this_host() : ServiceDomains{domains_, {}});
  advance();
}

void ServiceLookup::start_anew() {
  search_.forget();
  start(monotonic_now());
}

void ServiceLookup::advance() {
  while (const std::optional<ServiceQuestion> question = search_.poll_question()) {
    dns_.look_up(question->name.to_string(), static_cast<std::uint16_t>(question->type),
                 [this, question = *question](const DnsAnswer& answer) { on_answer(question, answer); });
  }
  timer_.set(search_.next_deadline());
  on_change_(search_);
}

void ServiceLookup::on_answer(const ServiceQuestion& question, const DnsAnswer& answer) {
  ServiceAnswer heard;
  heard.records.assign(answer.records.begin(), answer.records.end());
  heard.ttl_seconds = answer.ttl_seconds;
  heard.denied = answer.denied;
  heard.problem = answer.problem;
  heard.dnssec = to_string(answer.dnssec);
  search_.handle_answer(monotonic_now(), question, heard);
  advance();
}

void ServiceLookup::on_timer() {
  const Instant now = monotonic_now();
  if (search_.is_start_due(now)) return start(now);
  search_.handle_timeout(now);
  advance();
}

}  // namespace amt
