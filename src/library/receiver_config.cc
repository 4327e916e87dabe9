#include "library/receiver_config.hh"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "config/command_line.hh"
#include "library/c_values.hh"

namespace amt {
namespace {

/// `--NAME` for each of the values of `list`, which commas divide.
void add_list(std::vector<std::string>& arguments, const char* name, const char* list) {
  if (list == nullptr) return;
  std::string_view rest(list);
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    more = comma != std::string_view::npos;
    arguments.emplace_back(name);
    arguments.emplace_back(rest.substr(0, comma));
    if (more) rest.remove_prefix(comma + 1);
  }
}

void add_value(std::vector<std::string>& arguments, const char* name, const char* value) {
  if (value == nullptr) return;
  arguments.emplace_back(name);
  arguments.emplace_back(value);
}

/// One line: without the program's name before it, and the hint at its help behind it.
std::string problem_in(std::string_view said) {
  constexpr std::string_view kBefore = "amt receive: ";
  if (said.starts_with(kBefore)) said.remove_prefix(kBefore.size());
  return std::string(said.substr(0, said.find('\n')));
}

}  // namespace

Result<amt_receiver_options, Failure> complete_options(const amt_receiver_options* given) {
  const amt_receiver_options defaults = AMT_RECEIVER_OPTIONS_INIT;
  Result<amt_receiver_options, Failure> options = known_part(given, defaults, "amt_receiver_options");
  if (!options) return options;
  for (const char* text : {options->relay, options->discovery, options->discover_order, options->local,
                           options->resolvers, options->native_interface}) {
    if (!is_bounded(text)) return Unexpected<Failure>({AMT_ERROR_ARGUMENT, "amt_receiver_options: a text without end"});
  }
  return options;
}

Result<ReceiveConfig, Failure> receive_config(const char* url, const amt_receiver_options& options) {
  if (url == nullptr) return Unexpected<Failure>({AMT_ERROR_ARGUMENT, "the URL is a null pointer"});
  if (!is_bounded(url)) return Unexpected<Failure>({AMT_ERROR_URL, "the URL is too long"});
  std::vector<std::string> arguments{"receive"};
  add_list(arguments, "--relay", options.relay);
  add_list(arguments, "--discovery", options.discovery);
  add_list(arguments, "--resolver", options.resolvers);
  add_value(arguments, "--discover-order", options.discover_order);
  add_value(arguments, "--local", options.local);
  if (options.native != 0) {
    arguments.push_back(options.native_interface == nullptr ? "--native"
                                                            : "--native=" + std::string(options.native_interface));
  }
  // It is no option, whatever its first character.
  arguments.insert(arguments.end(), {"--", url});
  Result<Invocation, EarlyExit> parsed = parse_command_line(arguments);
  if (!parsed) return Unexpected<Failure>({AMT_ERROR_URL, problem_in(parsed.error().standard_error)});
  return std::get<ReceiveConfig>(std::move(parsed->command));
}

}  // namespace amt
