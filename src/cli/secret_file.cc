#include "cli/secret_file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "config/key_list.hh"
#include "sys/clock.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

constexpr std::size_t kSecretOctetsMin = 16;
constexpr std::size_t kSecretOctetsMax = 4096;
static_assert(kKeyListMax <= kRelayKeysMax);

/// Why the open file must not be used; empty: it may.
std::string refusal(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return "cannot be read";
  if (!S_ISREG(status.st_mode)) return "cannot be read: it is no regular file";
  if (status.st_uid != 0 && status.st_uid != geteuid()) {
    return fmt::format("belongs to another user (uid {}), who could replace the secret (remedy: chown)", status.st_uid);
  }
  if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return fmt::format("anyone on this host may {} it (mode {:04o}; remedy: chmod o-rw)",
                       (status.st_mode & S_IWOTH) != 0 ? "write" : "read", status.st_mode & 07777U);
  }
  return {};
}

RelaySecret secret_of(std::string_view content) {
  RelaySecret secret;
  // The C interface speaks of unsigned char.
  crypto_generichash(secret.data(), RelaySecret::kOctets, reinterpret_cast<const unsigned char*>(content.data()),
                     content.size(), nullptr, 0);
  return secret;
}

/// Overwritten at the end.
struct Content {
  Content() = default;
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;
  ~Content() { sodium_memzero(octets.data(), octets.size()); }

  [[nodiscard]] std::string_view text() const { return {octets.data(), size}; }

  std::array<char, kSecretOctetsMax + 1> octets{};
  std::size_t size = 0;
};

/// Why it cannot be read; empty: it has been.
std::string read_content(int fd, Content& content) {
  while (content.size < content.octets.size()) {
    const ssize_t got = read(fd, content.octets.data() + content.size, content.octets.size() - content.size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return "cannot be read: " + std::generic_category().message(errno);
    if (got == 0) break;
    content.size += static_cast<std::size_t>(got);
  }
  return {};
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
  // Opened once, and what is open is looked at: nobody can put another file there in between. O_NONBLOCK: for a FIFO.
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return fail("cannot be read: " + std::generic_category().message(errno));
  if (const std::string why = refusal(fd.get()); !why.empty()) return fail(why);
  Content content;
  if (const std::string why = read_content(fd.get(), content); !why.empty()) return fail(why);
  if (content.size < kSecretOctetsMin || content.size > kSecretOctetsMax) {
    return fail(fmt::format("has {}{} octets, must have {} to {} (example: (umask 077; head -c 32 /dev/urandom > {}))",
                            content.size > kSecretOctetsMax ? "more than " : "",
                            std::min(content.size, kSecretOctetsMax), kSecretOctetsMin, kSecretOctetsMax, path));
  }
  if (!is_key_list(content.text())) return SecretFile{{{.secret = secret_of(content.text())}}, {}, {}};
  Result<SecretFile, std::string> file = keys_of_list(content.text());
  if (!file) return fail(file.error());
  return file;
}

}  // namespace amt
