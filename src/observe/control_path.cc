#include "observe/control_path.hh"

#include <cstdlib>

namespace amt {

std::vector<std::string> default_control_paths(std::string_view role) {
  const std::string name = "/amt/" + std::string(role) + ".sock";
  std::vector<std::string> paths = {"/run" + name};
  // The basedir specification demands an absolute path; anything else is to be ignored.
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");  // allow: where a user's sockets belong
  if (runtime != nullptr && runtime[0] == '/') paths.push_back(runtime + name);
  return paths;
}

}  // namespace amt
