#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

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
  std::string asked;
  std::vector<std::pair<std::string, std::string>> answers;  // path, JSON
  for (const std::string& path : paths) {
    SysResult<std::string> json = fetch_status(path);
    asked += (asked.empty() ? "" : ", ") + printable(path);
    if (json) {
      answers.emplace_back(path, std::move(*json));
    } else if (!nobody_there(json.error())) {
      status = asking_failed(json.error());
    }
  }
  if (answers.empty() && status == 0) {
    return fail("no relay or gateway is running here (no socket at " + asked + ")" +
                (config.control ? "" : "; amt status --control PATH asks one that was started with --control PATH"));
  }
  if (config.json && answers.size() > 1) {
    // A program expects one object.
    return fail_usage("status", "--json: more than one runs here, choose with --control " + answers[0].first +
                                    " or --control " + answers[1].first);
  }
  for (const auto& [path, json] : answers) {
    if (path != answers.front().first) static_cast<void>(print("\n"));
    if (const int shown = show(path, json, config.json); shown != 0) status = shown;
  }
  return status;
}

}  // namespace amt
