#pragma once
/// The report of `amt discover`, for a person and for a program.

#include <optional>
#include <string>
#include <vector>

#include "client/driad_lookup.hh"
#include "client/relay_probes.hh"
#include "discovery/service_search.hh"

namespace amt {

/// The result of DNS-SD.
struct ServicesFound {
  /// Those that were asked.
  std::vector<ServiceDomain> domains;
  std::vector<ServiceRelay> relays;
  /// In order of preference.
  std::vector<RelayOption> options;
  /// Why there are none.
  std::string problem;

  /// The name of the instance that `option` comes of.
  [[nodiscard]] std::string instance_at(const RelayOption& option) const;
};

struct AskedRelay {
  /// The address that was asked: a relay's, or a discovery address.
  Endpoint target;
  RelayOrigin origin = RelayOrigin::kDriad;
  /// Given with --discovery rather than found.
  bool given = false;
  std::uint16_t precedence = 0;
  bool discovery_optional = false;
  /// The name that led here (DNS-SD: the instance's); empty: the record has the address itself.
  std::string via_name;
  ProbeResult result;

  [[nodiscard]] bool serves() const { return result.state == RelayProbe::State::kConnected; }
};

struct DiscoverReport {
  std::optional<IpAddress> source;
  std::optional<ServicesFound> services;
  std::optional<DriadResult> driad;
  /// In the order in which a gateway would try them.
  std::vector<AskedRelay> relays;

  /// The first that serves: the one a gateway would end up with.
  [[nodiscard]] const AskedRelay* chosen() const;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string json() const;
};

/// Why an asked relay does not serve, or how it does: "answers in 12.3 ms", "does not answer".
[[nodiscard]] std::string verdict(const AskedRelay& relay);

}  // namespace amt
