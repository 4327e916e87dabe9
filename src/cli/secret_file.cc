#include "cli/secret_file.hh"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "sys/unique_fd.hh"

namespace amt {
namespace {

constexpr std::size_t kSecretOctetsMin = 16;
constexpr std::size_t kSecretOctetsMax = 4096;

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

}  // namespace

Result<RelaySecret, std::string> read_secret_file(const std::string& path) {
  const auto fail = [&path](const std::string& why) {
    return Unexpected<std::string>(fmt::format("--secret-file {}: {}", path, why));
  };
  // Opened once, and what is open is looked at: nobody can put another file there in between. O_NONBLOCK: for a FIFO.
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return fail("cannot be read: " + std::generic_category().message(errno));
  if (const std::string why = refusal(fd.get()); !why.empty()) return fail(why);
  std::array<unsigned char, kSecretOctetsMax + 1> content;
  std::size_t octets = 0;
  while (octets < content.size()) {
    const ssize_t got = read(fd.get(), content.data() + octets, content.size() - octets);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail("cannot be read: " + std::generic_category().message(errno));
    if (got == 0) break;
    octets += static_cast<std::size_t>(got);
  }
  RelaySecret secret;
  crypto_generichash(secret.data(), RelaySecret::kOctets, content.data(), octets, nullptr, 0);
  sodium_memzero(content.data(), content.size());
  if (octets >= kSecretOctetsMin && octets <= kSecretOctetsMax) return secret;
  return fail(fmt::format("has {}{} octets, must have {} to {} (example: (umask 077; head -c 32 /dev/urandom > {}))",
                          octets > kSecretOctetsMax ? "more than " : "", std::min(octets, kSecretOctetsMax),
                          kSecretOctetsMin, kSecretOctetsMax, path));
}

}  // namespace amt
