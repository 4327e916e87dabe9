#pragma once
/// From the options about relays to the options of the gateway's run time.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "amt/result.hh"
#include "config/config.hh"
#include "engine/gateway/relay_set.hh"
#include "sys/host_lookup.hh"

namespace amt {

[[nodiscard]] DnsResolverOptions resolver_options(const DnsChoice& choice);
/// Empty: those of this host.
[[nodiscard]] std::vector<DomainName> service_domains(const DnsChoice& choice);

/// Answers with all addresses of a host's name; may wait.
using NameLookup = std::function<HostAddresses(const std::string& name)>;

/// The same without the engine's part: relays in the order given, of a name all its addresses, then discovery.
[[nodiscard]] Result<ClientOptions, std::string> client_options(const RelayChoice& choice, const NameLookup& look_up);
/// `--relay`, `--discovery`, `--local`, the ports and the DNS as the engine takes them: relays in the order given, of a
/// name all its addresses, then discovery; with neither, the ways to find them. Error: one line for the user.
[[nodiscard]] Result<RelaySetOptions, std::string> relay_set_options(Loop& loop, const RelayChoice& choice,
                                                                     const NameLookup& look_up);

/// The user's choice, with the relay that `url` names in place of `--relay`.
[[nodiscard]] RelayChoice relays_for(const ChannelUrl& url, RelayChoice choice);

}  // namespace amt
