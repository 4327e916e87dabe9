#pragma once
/// A UDP port that a program finds again after a restart, without a file to remember it in.

#include <cstdint>
#include <optional>
#include <string_view>

namespace amt {

/// A port of the dynamic range (RFC 6335 §6) that follows from this machine's identity and `purpose`: the same at each
/// start, different for each machine, and not to be guessed from outside (RFC 6056 §3.3.3: hash-based selection, with
/// the machine's identity as the secret). Nothing where the machine has none (sys/machine_identity.hh).
[[nodiscard]] std::optional<std::uint16_t> lasting_port(std::string_view purpose);

}  // namespace amt
