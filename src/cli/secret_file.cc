#include "cli/secret_file.hh"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <chrono>

#include "cli/private_file.hh"
#include "config/key_list.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

constexpr std::size_t kSecretOctetsMin = 16;
constexpr std::size_t kSecretOctetsMax = PrivateContent::kOctetsMax;
static_assert(kKeyListMax <= kRelayKeysMax);

RelaySecret secret_of(std::string_view content) {
  RelaySecret secret;
  // The C interface speaks of unsigned char.
  crypto_generichash(secret.data(), RelaySecret::kOctets, reinterpret_cast<const unsigned char*>(content.data()),
                     content.size(), nullptr, 0);
  return secret;
}

Result<SecretFile, std::string> keys_of_list(std::string_view text) {
  const Result<std::vector<KeyLine>, std::string> lines = parse_key_list(text);
  if (!lines) return Unexpected<std::string>(lines.error());
  // The only place where a relay looks at the time of day: a fleet has no other clock in common.
  const WallTime wall = wall_now();
  const Instant now = monotonic_now();
  SecretFile file;
  const KeyLine* signing = nullptr;
  for (const KeyLine& line : *lines) {
    RelayKey& key = file.keys.emplace_back();
    key.secret = secret_of(line.key);
    if (line.signs_from) key.signs_from = now + std::chrono::duration_cast<Duration>(*line.signs_from - wall);
    file.ids.emplace_back(line.id);
    const bool signs = !line.signs_from || *line.signs_from <= wall;
    if (signs && (signing == nullptr || line.signs_from >= signing->signs_from)) signing = &line;
  }
  if (signing == nullptr) {
    return Unexpected<std::string>("no key signs yet, all have a NOT-BEFORE that is still to come (remedy: - for one)");
  }
  file.signing = signing->id;
  return file;
}

}  // namespace

Result<SecretFile, std::string> read_secret_file(const std::string& path) {
  const auto fail = [&path](const std::string& why) {
    return Unexpected<std::string>(fmt::format("--secret-file {}: {}", path, why));
  };
  PrivateContent content;
  if (const Result<void, std::string> read = content.read(path); !read) return fail(read.error());
  const std::size_t octets = content.text().size();
  if (octets < kSecretOctetsMin || octets > kSecretOctetsMax) {
    return fail(fmt::format("has {}{} octets, must have {} to {} (example: (umask 077; head -c 32 /dev/urandom > {}))",
                            octets > kSecretOctetsMax ? "more than " : "", std::min(octets, kSecretOctetsMax),
                            kSecretOctetsMin, kSecretOctetsMax, path));
  }
  if (!is_key_list(content.text())) return SecretFile{{{.secret = secret_of(content.text())}}, {}, {}};
  Result<SecretFile, std::string> file = keys_of_list(content.text());
  if (!file) return fail(file.error());
  return file;
}

}  // namespace amt
