#include "cli/control_paths.hh"

#include <cerrno>

#include "observe/control_path.hh"

namespace amt {

std::vector<std::string> control_paths(const std::optional<std::string>& control,
                                       const std::vector<std::string>& roles) {
  if (control) return {*control};
  std::vector<std::string> paths;
  for (const std::string& role : roles) {
    for (std::string& path : default_control_paths(role)) paths.push_back(std::move(path));
  }
  return paths;
}

bool is_nobody_there(const SysError& error) { return error.code == ENOENT || error.code == ECONNREFUSED; }

std::string explain_asking(const SysError& error) {
  if (error.code == EACCES) return error.to_string() + " (it belongs to the user who started the daemon; try sudo)";
  return error.to_string();
}

}  // namespace amt
