#pragma once
/// The names and records of DNS-SD (RFC 6763 §4, §5): the servers of AMT in a domain, and their addresses.

#include <cstdint>
#include <optional>
#include <string>

#include "base/byte_reader.hh"
#include "discovery/domain_name.hh"

namespace amt {

/// An SRV record's data (RFC 2782).
struct SrvRecord {
  std::uint16_t priority = 0;  ///< lower first
  std::uint16_t weight = 0;    ///< among equals, its share
  std::uint16_t port = 0;
  DomainName target;

  /// None: truncated, or no uncompressed name.
  static std::optional<SrvRecord> parse(Bytes rdata);
  /// "The service is decidedly not available" (target `.`), or a placeholder that keeps a name (port 0, RFC 6763 §7).
  [[nodiscard]] bool is_unavailable() const { return port == 0 || target == DomainName(); }
  /// `10 5 2268 relay.example.net.`
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const SrvRecord&, const SrvRecord&) = default;
};

/// `_amt._udp.DOMAIN`: its PTR records name the instances. None: too long.
[[nodiscard]] std::optional<DomainName> amt_service_of(const DomainName& domain);
/// `lb._dns-sd._udp.DOMAIN`: its PTR records name the domains to look in (RFC 6763 §11). None: too long.
[[nodiscard]] std::optional<DomainName> browsing_domains_of(const DomainName& domain);
/// INSTANCE._amt._udp.DOMAIN, INSTANCE one label of any octets.
[[nodiscard]] bool is_amt_instance(const DomainName& name);
/// `local.` and its subdomains: for multicast DNS alone (RFC 6762 §3).
[[nodiscard]] bool is_multicast_dns(const DomainName& domain);

}  // namespace amt
