#include "sys/descriptor_limit.hh"

#include <sys/resource.h>

#include <algorithm>

namespace amt {

std::size_t raise_descriptor_limit(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  rlimit higher = limit;
  higher.rlim_cur = std::max<rlim_t>(limit.rlim_max, wanted);
  higher.rlim_max = higher.rlim_cur;
  // Beyond the hard limit only with CAP_SYS_RESOURCE, and below fs.nr_open.
  if (::setrlimit(RLIMIT_NOFILE, &higher) == 0) return higher.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return limit.rlim_cur;
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

}  // namespace amt
