/// `amt reload` and `amt drain`: commands for a running daemon, over its control socket.

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <utility>
#include <vector>

#include "cli/confinement.hh"
#include "cli/control_paths.hh"
#include "cli/drain_query.hh"
#include "cli/failure.hh"
#include "cli/subcommands.hh"
#include "observe/control_client.hh"

namespace amt {
namespace {

namespace json = boost::json;

struct Answer {
  std::string path;
  FetchedStatus said;
};

/// Of `path`, or of all daemons at the default paths. A failure has been reported: the exit status.
Result<std::vector<Answer>, int> ask_all(const std::optional<std::string>& path, const std::vector<std::string>& roles,
                                         const std::string& target) {
  std::vector<Answer> answers;
  std::string asked;
  for (const std::string& one : control_paths(path, roles)) {
    asked += (asked.empty() ? "" : ", ") + one;
    SysResult<FetchedStatus> said = post_command(one, target);
    if (said) {
      answers.push_back({one, std::move(*said)});
    } else if (!is_nobody_there(said.error())) {
      return Unexpected<int>(fail(explain_asking(said.error())));
    }
  }
  if (answers.empty()) return Unexpected<int>(fail("nothing is running here (no socket at " + asked + ")"));
  return answers;
}

/// Null: it is no JSON object.
json::value value_of(const FetchedStatus& said) {
  boost::system::error_code error;
  json::value value = json::parse(said.json, error);
  return !error && value.is_object() ? value : json::value();
}

std::string words_of(const json::value& value, const char* key) {
  std::string text;
  const json::value* const list = value.as_object().if_contains(key);
  if (list == nullptr || !list->is_array()) return text;
  for (const json::value& word : list->as_array()) {
    if (word.is_string()) text += (text.empty() ? "" : ", ") + std::string(word.as_string());
  }
  return text;
}

/// One line for the user; the exit status.
template <typename Say>
int report(const Answer& answer, const Say& say) {
  const json::value value = value_of(answer.said);
  if (value.is_null()) return fail(answer.path + ": what answers there is no amt relay or gateway");
  if (!answer.said.accepted) {
    const json::value* const why = value.as_object().if_contains("error");
    return fail(answer.path + ": nothing has changed: " +
                (why != nullptr && why->is_string() ? std::string(why->as_string()) : "refused"));
  }
  const std::string text = answer.path + ": " + say(value) + "\n";
  const bool printed = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return printed ? 0 : fail("standard output cannot be written");
}

}  // namespace

int run_reload(const ReloadConfig& config, const CommonConfig& common) {
  if (const auto confined = confine(common, control_client_sandbox()); !confined) return fail(confined.error());
  const auto answers = ask_all(config.control, {"relay", "gateway"}, "reload");
  if (!answers) return answers.error();
  int status = 0;
  for (const Answer& answer : *answers) {
    const int one = report(answer, [](const json::value& value) {
      const std::string changed = words_of(value, "changed");
      const std::string restart = words_of(value, "restart");
      return (changed.empty() ? "no option has changed" : "changed " + changed) +
             (restart.empty() ? "" : "; only a restart takes up " + restart);
    });
    if (one != 0) status = one;
  }
  return status;
}

int run_drain(const DrainConfig& config, const CommonConfig& common) {
  if (const auto confined = confine(common, control_client_sandbox()); !confined) return fail(confined.error());
  const std::string query = DrainQuery{config.timeout, config.cancel}.to_string();
  const auto answers = ask_all(config.control, {"relay"}, query.empty() ? "drain" : "drain?" + query);
  if (!answers) return answers.error();
  int status = 0;
  for (const Answer& answer : *answers) {
    const int one = report(answer, [&config](const json::value& value) {
      const json::value* const tunnels = value.as_object().if_contains("tunnels");
      const std::int64_t count = tunnels != nullptr && tunnels->is_int64() ? tunnels->as_int64() : 0;
      return config.cancel ? std::string("takes new gateways again")
                           : fmt::format("takes no new gateways, and ends when its {} tunnels have gone", count);
    });
    if (one != 0) status = one;
  }
  return status;
}

}  // namespace amt
