#include <fmt/format.h>

#include <cstdio>
#include <utility>
#include <vector>

#include "base/printable.hh"
#include "cli/confinement.hh"
#include "cli/control_paths.hh"
#include "cli/failure.hh"
#include "cli/subcommands.hh"
#include "observe/control_client.hh"
#include "observe/status_text.hh"

namespace amt {
namespace {

bool print(const std::string& text) { return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0; }

/// What is asked of the daemon. Addresses need no percent-encoding.
std::string query_for(const StatusConfig& config) {
  std::string query;
  const auto add = [&query](std::string_view name, const std::string& value) {
    query += fmt::format("{}{}={}", query.empty() ? "" : "&", name, value);
  };
  if (config.list) add("list", *config.list);
  if (config.sort) add("sort", *config.sort);
  if (config.top) add("top", std::to_string(*config.top));
  if (config.group) add("group", config.group->to_string());
  if (config.address) add("address", config.address->to_string());
  if (!config.list && !config.json) add("top", std::to_string(kSummaryRows));
  return query;
}

int show(const std::string& path, const StatusConfig& config, const FetchedStatus& status) {
  if (!status.accepted) return fail(path + ": refuses the question: " + status.json);
  if (config.json) {
    // Not read here: it may be hundreds of megabytes.
    if (!status.json.starts_with("{\"role\":")) return fail(path + ": what answers there is no amt relay or gateway");
    return print(status.json + "\n") ? 0 : fail("standard output cannot be written");
  }
  const std::optional<std::string> text = status_text(status.json, config.list.value_or(""));
  if (!text) return fail(path + ": what answers there is no amt relay or gateway");
  return print(*text) ? 0 : fail("standard output cannot be written");
}

}  // namespace

int run_status(const StatusConfig& config, const CommonConfig& common) {
  if (const auto confined = confine(common, control_client_sandbox()); !confined) return fail(confined.error());
  int status = 0;
  std::string asked;
  std::vector<std::pair<std::string, FetchedStatus>> answers;  // by path
  for (const std::string& path : control_paths(config.control)) {
    SysResult<FetchedStatus> status_there = fetch_status(path, query_for(config));
    asked += (asked.empty() ? "" : ", ") + printable(path);
    if (status_there) {
      answers.emplace_back(path, std::move(*status_there));
    } else if (!is_nobody_there(status_there.error())) {
      status = fail(explain_asking(status_there.error()));
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
  for (const auto& [path, answer] : answers) {
    if (path != answers.front().first) static_cast<void>(print("\n"));
    if (const int shown = show(path, config, answer); shown != 0) status = shown;
  }
  return status;
}

}  // namespace amt
