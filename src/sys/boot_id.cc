#include "sys/boot_id.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>

#include "sys/unique_fd.hh"

namespace amt {

SysResult<std::array<std::byte, 16>> boot_id() {
  constexpr const char* kPath = "/proc/sys/kernel/random/boot_id";
  const UniqueFd fd(::open(kPath, O_RDONLY | O_CLOEXEC));
  if (!fd) return tl::unexpected(SysError::last("open", kPath));
  // "c7ae4d1e-....": hexadecimal digits and dashes.
  std::array<char, 64> text{};
  const ssize_t got = ::read(fd.get(), text.data(), text.size());
  std::string digits;
  for (const char c : std::string_view(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0)) {
    if (c != '-' && c != '\n') digits += c;
  }
  std::array<std::byte, 16> id{};
  if (digits.size() != 2 * id.size()) return tl::unexpected(SysError{"read", kPath, EBADMSG});
  for (std::size_t i = 0; i < id.size(); ++i) {
    unsigned octet = 0;
    const char* const first = digits.data() + 2 * i;
    if (std::from_chars(first, first + 2, octet, 16).ptr != first + 2) {
      return tl::unexpected(SysError{"read", kPath, EBADMSG});
    }
    id[i] = static_cast<std::byte>(octet);
  }
  return id;
}

}  // namespace amt
