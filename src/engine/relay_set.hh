#pragma once
/// A running gateway's relays: one that was given, or those that are found for the sources that are wanted.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "discovery/domain_name.hh"
#include "discovery/relay_search.hh"
#include "engine/dns_client.hh"
#include "engine/gateway_connection.hh"
#include "engine/relay_names.hh"

namespace amt {

struct RelaySetOptions {
  /// With `gateway.candidates` nothing else is asked: one has its tunnel at once, several are raced, in this order.
  /// Without: relays are found. Each relay in use has a tunnel of its own.
  GatewayConnectionOptions connection;
  RelaySearchOptions search;
  /// For DRIAD and DNS-SD; none: they are not used.
  std::unique_ptr<DnsClient> dns;
  /// Where DNS-SD looks; empty: in this host's domains.
  std::vector<DomainName> service_domains;
  /// The candidates that are relays, as they were given; empty: none was given by name.
  std::vector<NamedRelay> names = {};
  /// A tunnel to this relay begins.
  std::function<void(const IpAddress& relay)> on_relay = {};
};

/// Lives on its event loop's thread.
class RelaySet {
 public:
  static SysResult<std::unique_ptr<RelaySet>> create(EventLoop& loop, RelaySetOptions options, Random& random,
                                                     GatewayConnection::DataHandler on_data);
  ~RelaySet();

  /// False: no relay would take that, see HostMachine::set_filter.
  [[nodiscard]] bool may_join(const IpAddress& group, const SourceFilter& filter) const;
  /// INCLUDE({}) leaves. False: refused, see HostMachine::set_filter.
  [[nodiscard]] bool set_membership(const IpAddress& group, const SourceFilter& filter);
  /// Teardown or leave (R-5.2.3.8-a) is sent to each relay before this returns.
  void shutdown();

  [[nodiscard]] Instant started() const;
  /// Why nothing comes, as far as that can be seen from here.
  [[nodiscard]] std::string reason_of_silence() const;
  /// Each relay in use, or asked.
  void for_each_relay(const std::function<void(const Endpoint& relay, const Gateway& gateway)>& visit) const;
  void for_each_membership(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;

  /// Of all tunnels, those that are closed too.
  [[nodiscard]] Counters<GatewayCounter> counters() const;
  [[nodiscard]] Counters<GatewayReject> rejects() const;
  [[nodiscard]] std::uint64_t receive_drops() const;
  /// Packets that two relays brought while a source moved, and that were delivered once.
  [[nodiscard]] std::uint64_t duplicates() const;

 private:
  struct Impl;
  explicit RelaySet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
