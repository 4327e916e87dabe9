#include "cli/reload_report.hh"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "sys/log.hh"

namespace amt {
namespace {

boost::json::array array_of(const std::vector<std::string>& words) {
  boost::json::array array;
  for (const std::string& word : words) array.emplace_back(word);
  return array;
}

}  // namespace

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

ReloadReply reload_failed(const std::string& why) {
  log_error("reload: nothing has changed: {}", why);
  return Unexpected<std::string>(why);
}

ReloadReply reload_done(const Reload& reload) {
  log_info("reload: {}{}", reload.changed.empty() ? "no option has changed" : "changed " + joined(reload.changed),
           reload.restart.empty() ? "" : "; only a restart takes up " + joined(reload.restart));
  return boost::json::serialize(
      boost::json::object{{"changed", array_of(reload.changed)}, {"restart", array_of(reload.restart)}});
}

}  // namespace amt
