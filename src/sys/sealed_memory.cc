#include "sys/sealed_memory.hh"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace amt {
namespace {

constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

SysResult<UniqueFd> seal_memory(Bytes octets) {
  UniqueFd fd(::memfd_create("amt-state", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return tl::unexpected(SysError::last("memfd_create"));
  for (Bytes rest = octets; !rest.empty();) {
    const ssize_t written = ::write(fd.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return tl::unexpected(SysError::last("write", "memfd"));
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) return tl::unexpected(SysError::last("seal", "memfd"));
  return fd;
}

SysResult<std::vector<std::byte>> read_sealed_memory(int fd, std::size_t octets_max) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return tl::unexpected(SysError::last("fstat", "memfd"));
  const int seals = ::fcntl(fd, F_GET_SEALS);
  // The kernel adds F_SEAL_EXEC by itself where vm.memfd_noexec is set.
  if (seals < 0 || (seals & kSeals) != kSeals) return tl::unexpected(SysError{"read", "memfd", EPERM});
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > octets_max) return tl::unexpected(SysError{"read", "memfd", EFBIG});
  std::vector<std::byte> octets(size);
  for (std::size_t at = 0; at < size;) {
    const ssize_t got = ::pread(fd, octets.data() + at, size - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return tl::unexpected(SysError::last("read", "memfd"));
    at += static_cast<std::size_t>(got);
  }
  return octets;
}

}  // namespace amt
