#pragma once
/// `--secret-file`: the secret that the relays of one anycast address share.

#include <string>

#include "amt/result.hh"
#include "relay/relay_options.hh"

namespace amt {

/// A file of any content becomes a key by hashing; the same file gives the same key on every relay of a fleet. It is a
/// regular file of this process's user or root, and others may neither read nor write it: whoever knows the secret ends
/// tunnels, whoever sets it can know it. Error: a text for the user.
[[nodiscard]] Result<RelaySecret, std::string> read_secret_file(const std::string& path);

}  // namespace amt
