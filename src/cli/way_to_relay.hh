#pragma once
#include <optional>
#include <string>
#include <vector>

#include "amt/result.hh"
#include "config/config.hh"
#include "engine/gateway/relay_set.hh"

namespace amt {

[[nodiscard]] DnsResolverOptions resolver_options(const DnsChoice& choice);
/// Empty: those of this host.
[[nodiscard]] std::vector<DomainName> service_domains(const DnsChoice& choice);

/// `--relay`, `--discovery`, `--local`, the ports and the DNS as the engine takes them: relays in the order given, of a
/// name all its addresses, then discovery; with neither, what finds them. Looks names up; for `name_wait_max`
/// again and again while no resolver answers. Error: one line for the user.
[[nodiscard]] Result<RelaySetOptions, std::string> relay_set_options(EventLoop& loop, const RelayChoice& choice,
                                                                     Duration name_wait_max = Duration::zero());

/// The interface that `--native=IF` names is not there. One line for the user.
[[nodiscard]] std::optional<std::string> unusable_native_interface(const RelayChoice& choice);

}  // namespace amt
