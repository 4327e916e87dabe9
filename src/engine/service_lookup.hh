#pragma once
/// DNS-SD on an event loop: which relays the network around says that it has (RFC 8777 §3.1.2).

#include <functional>
#include <vector>

#include "discovery/service_search.hh"
#include "engine/dns_client.hh"

namespace amt {

/// Where this host's network may have said so (RFC 6763 §11): the domains that names are looked up in, and the reverse
/// names of the subnets that the default routes leave by.
[[nodiscard]] ServiceDomains service_domains_of_this_host();

/// Searches on and on, as the records' life ends. Lives on its event loop's thread. `dns` outlives it, and hands out no
/// answer after it is gone.
class ServiceLookup {
 public:
  using ChangeHandler = std::function<void(const ServiceSearch& search)>;

  /// Begins at once. `domains`: look in these alone; empty: in this host's. `on_change`: something may be known that
  /// was not; called at the beginning and from the event loop.
  ServiceLookup(EventLoop& loop, DnsClient& dns, Random& random, std::vector<DomainName> domains,
                ChangeHandler on_change);

  /// This host is somewhere else now.
  void start_anew();

 private:
  void start(Instant now);
  void on_timer();
  void on_answer(const ServiceQuestion& question, const DnsAnswer& answer);
  /// Asks what there is to ask, sets the timer, tells.
  void advance();

  DnsClient& dns_;
  std::vector<DomainName> domains_;
  ChangeHandler on_change_;
  ServiceSearch search_;
  Timer timer_;
};

}  // namespace amt
