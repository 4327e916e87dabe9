#include "sys/processors.hh"

#include <sched.h>

namespace amt {

std::size_t processor_count() {
  // More than 1024 of them do not fit, and then the call fails.
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return static_cast<std::size_t>(CPU_COUNT(&allowed));
}

}  // namespace amt
