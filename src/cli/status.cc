#include <cerrno>
#include <cstdio>

#include "base/printable.hh"
#include "cli/failure.hh"
#include "cli/subcommands.hh"
#include "observe/control_client.hh"
#include "observe/control_path.hh"
#include "observe/status.hh"

namespace amt {
namespace {

bool print(const std::string& text) { return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0; }

int show(const std::string& path, const std::string& json, bool as_json) {
  const std::optional<std::string> text = status_text(json);
  if (!text) return fail(path + ": what answers there is no amt relay or gateway");
  if (!print(as_json ? json + "\n" : *text)) return fail("standard output cannot be written");
  return 0;
}

bool nobody_there(const SysError& error) { return error.code == ENOENT || error.code == ECONNREFUSED; }

/// What could not be asked, and what to do about it.
int asking_failed(const SysError& error) {
  if (error.code == EACCES)
    return fail(error.to_string() + " (it belongs to the user who started the daemon; try sudo)");
  return fail(error.to_string());
}

}  // namespace

int run_status(const StatusConfig& config, const CommonConfig&) {
  std::vector<std::string> paths;
  if (config.control) {
    paths.push_back(*config.control);
  } else {
    for (const char* const role : {"relay", "gateway"}) {
      for (std::string& path : default_control_paths(role)) paths.push_back(std::move(path));
    }
  }
  int status = 0;
  bool is_first = true;
  std::string asked;
  for (const std::string& path : paths) {
    const SysResult<std::string> json = fetch_status(path);
    asked += (asked.empty() ? "" : ", ") + printable(path);
    if (!json) {
      if (!nobody_there(json.error())) status = asking_failed(json.error());
      continue;
    }
    if (!is_first && !config.json) static_cast<void>(print("\n"));
    is_first = false;
    if (const int shown = show(path, *json, config.json); shown != 0) status = shown;
  }
  if (is_first && status == 0) {
    return fail("no relay or gateway is running here (no socket at " + asked + ")" +
                (config.control ? "" : "; amt status --control PATH asks one that was started with --control PATH"));
  }
  return status;
}

}  // namespace amt
