#pragma once
/// The questions of `amt discover` to the DNS: the records of a source (DRIAD), and the relays of the network around
/// (DNS-SD).

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "client/driad_lookup.hh"
#include "discovery/service_search.hh"
#include "engine/runtime/dns_client.hh"
#include "engine/runtime/event_loop.hh"

namespace amt {

/// One round of both. Lives on its event loop's thread.
class DiscoverLookup {
 public:
  struct Handlers {
    /// Each is called once, from the event loop or from `start`.
    std::function<void(const DriadResult& driad)> on_driad;
    std::function<void(const ServiceSearch& services)> on_services;
  };

  /// `random` outlives it. `source`: none: DNS-SD alone.
  DiscoverLookup(EventLoop& loop, std::unique_ptr<DnsClient> dns, Random& random,
                 const std::optional<IpAddress>& source, Handlers handlers);
  /// `domains`: DNS-SD looks in these alone; empty: in this host's.
  void start(const std::vector<DomainName>& domains);

 private:
  /// Sends the due questions, and hands on the answers.
  void advance();

  Handlers handlers_;
  std::optional<DriadLookup> driad_;
  ServiceSearch services_;
  Timer timer_;
  // Last: its answers use the members above.
  std::unique_ptr<DnsClient> dns_;
};

}  // namespace amt
