#include "sys/descriptor_limit.hh"

#include <sys/resource.h>

#include <filesystem>
#include <iterator>

namespace amt {

std::size_t raise_descriptor_limit(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t highest = std::max<rlim_t>(limit.rlim_max, wanted);
  for (const rlimit& raised : {rlimit{highest, highest}, rlimit{limit.rlim_max, limit.rlim_max}}) {
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return raised.rlim_cur;
  }
  return limit.rlim_cur;
}

void raise_locked_memory_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return;
  for (const rlimit& raised : {rlimit{RLIM_INFINITY, RLIM_INFINITY}, rlimit{limit.rlim_max, limit.rlim_max}}) {
    if (::setrlimit(RLIMIT_MEMLOCK, &raised) == 0) return;
  }
}

std::size_t open_descriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return 0;
  // Without the one that reads the directory.
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries))) - 1;
}

}  // namespace amt
