#include "demo/self.hh"

#include <fcntl.h>

namespace amt {

Self::Self(UniqueFd file) : file_(std::move(file)), path_("/proc/self/fd/" + std::to_string(file_.get())) {}

SysResult<Self> Self::find() {
  UniqueFd file(::open("/proc/self/exe", O_PATH));
  if (!file) return tl::unexpected(SysError::last("open", "/proc/self/exe"));
  return Self(std::move(file));
}

CommandLine Self::with(CommandLine arguments) const {
  arguments.insert(arguments.begin(), path_);
  return arguments;
}

CommandLine Self::without_privileges(CommandLine arguments) const {
  arguments.insert(arguments.begin(), {"setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", path_});
  return arguments;
}

}  // namespace amt
