#pragma once
/// `--secret-file`: the keys that the relays of one anycast address share.

#include <string>
#include <vector>

#include "amt/result.hh"
#include "relay/relay_options.hh"

namespace amt {

struct SecretFile {
  std::vector<RelayKey> keys;
  /// Of a list of keys (config/key_list.hh), for logs: their names, and whose turn it is to sign. Of a single key none.
  std::vector<std::string> ids;
  std::string signing;
};

/// A list of keys, or a file of any content that becomes one key by hashing; the same file gives the same keys on every
/// relay of a fleet. It is a regular file of this process's user or root, and others may neither read nor write it:
/// with the secret an attacker can end tunnels, and who can write the file can set it. Error: a text for the user.
[[nodiscard]] Result<SecretFile, std::string> read_secret_file(const std::string& path);

}  // namespace amt
