#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

constexpr std::uint16_t kDnsPort = 53;

/// As host names are, and fully qualified with or without the dot at the end.
ValueResult<std::string> parse_domain(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  const ValueResult<RelayHost> host = parse_relay_host(text);
  const auto* const name = host ? std::get_if<std::string>(&host->host) : nullptr;
  if (name == nullptr || host->port != 0) return Unexpected<BadValue>({"is no domain name"});
  return *name;
}

}  // namespace

void add_dns_options(CommandTable& table, DnsChoice& choice) {
  table.options.push_back({.name = "resolver",
                           .value = "ADDR[:PORT]",
                           .group = "DNS",
                           .help = "ask this DNS resolver",
                           .default_text = "those of /etc/resolv.conf",
                           .example = "192.0.2.53",
                           .repeatable = true,
                           .apply = append_to(choice.resolvers, parse_unicast_endpoint)});
  table.options.push_back({.name = "dnssec",
                           .value = "POLICY",
                           .group = "DNS",
                           .help =
                               "require: only signed answers count; prefer: unsigned ones count, wrongly signed ones "
                               "never; off: nothing is checked",
                           .default_text = "prefer",
                           .example = "prefer",
                           .choices = {"require", "prefer", "off"},
                           .apply = into(choice.dnssec, parse_dnssec)});
  table.options.push_back({.name = "trust-anchor",
                           .value = "FILE",
                           .group = "DNS",
                           .help = "DS or DNSKEY records that signatures are checked from",
                           .default_text = "the root's keys",
                           .example = "/usr/share/dns/root.key",
                           .completion = Completion::kFile,
                           .apply = into(choice.trust_anchor, parse_path)});
  table.options.push_back({.name = "dns-sd-domain",
                           .value = "DOMAIN",
                           .group = "DNS",
                           .help =
                               "look for this network's relays (_amt._udp, DNS-SD) in DOMAIN; not in local, which is "
                               "multicast DNS's",
                           .default_text = "this host's search domains, and those that its subnets' reverse zones name",
                           .example = "example.net",
                           .repeatable = true,
                           .apply = append_to(choice.service_domains, parse_domain)});
}

void finish_dns_choice(DnsChoice& choice) {
  for (Endpoint& endpoint : choice.resolvers) {
    if (endpoint.port == 0) endpoint.port = kDnsPort;
  }
}

}  // namespace amt
