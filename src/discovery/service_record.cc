#include "discovery/service_record.hh"

namespace amt {
namespace {

std::optional<DomainName> below(const char* prefix, const DomainName& domain) {
  return DomainName::join(*DomainName::parse(prefix), domain);
}

/// The name without its first label; the root has none to lose.
DomainName parent(const DomainName& name) {
  const Bytes wire = name.wire();
  const auto label = std::to_integer<std::size_t>(wire[0]);
  return label == 0 ? name : *DomainName::from_wire(wire.subspan(1 + label));
}

}  // namespace

std::optional<SrvRecord> SrvRecord::parse(Bytes rdata) {
  constexpr std::size_t kFixedOctets = 6;
  ByteReader in(rdata);
  if (!in.has(kFixedOctets)) return std::nullopt;
  SrvRecord record;
  record.priority = in.u16();
  record.weight = in.u16();
  record.port = in.u16();
  std::optional<DomainName> target = DomainName::from_wire(in.rest());
  if (!target) return std::nullopt;
  record.target = std::move(*target);
  return record;
}

std::string SrvRecord::to_string() const {
  return std::to_string(priority) + ' ' + std::to_string(weight) + ' ' + std::to_string(port) + ' ' +
         target.to_string();
}

std::optional<DomainName> amt_service_of(const DomainName& domain) { return below("_amt._udp", domain); }

std::optional<DomainName> browsing_domains_of(const DomainName& domain) { return below("lb._dns-sd._udp", domain); }

bool is_amt_instance(const DomainName& name) {
  const DomainName service = parent(name);
  const DomainName domain = parent(parent(service));
  return amt_service_of(domain) == service;
}

bool is_multicast_dns(const DomainName& domain) {
  DomainName top = domain;
  while (parent(top) != DomainName()) top = parent(top);
  return top == *DomainName::parse("local");
}

}  // namespace amt
