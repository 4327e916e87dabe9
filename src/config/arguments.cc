#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/printable.hh"
#include "config/sources.hh"

namespace amt {
namespace {

constexpr std::size_t kShownOctetsMax = 80;
/// CLI11's value of a flag without one.
constexpr std::string_view kFlagAlone = "true";

std::string cli_name(const OptionSpec& option) {
  if (option.positional) return option.name;
  return (option.short_name != '\0' ? std::string("-") + option.short_name + "," : "") + "--" + option.name;
}

std::string unexpected(const CommandTable& table, const std::string& argument) {
  const std::string shown = printable(argument.substr(0, argument.find('=')), kShownOctetsMax);
  if (!argument.starts_with('-') || argument == "-") {
    return shown + ": unexpected argument (amt " + table.name + " --help shows the options)";
  }
  std::vector<std::string> names;
  for (const OptionSpec& option : table.options) {
    if (!option.positional) names.push_back("--" + option.name);
  }
  const std::string nearest = nearest_name(shown, names);
  return shown + ": unknown option" + (nearest.empty() ? "" : "; did you mean " + nearest + "?") + " (amt " +
         table.name + " --help shows the options)";
}

std::string missing_value(const OptionSpec& option) {
  return option_label(option) + ": a value is missing (example: " + option_label(option) + " " + option.example + ")";
}

/// CLI11 reports by exceptions whose text names the option first; all of them are worded anew here.
std::string reworded(const CommandTable& table, const CLI::ParseError& error) {
  const std::string text = error.what();
  for (const OptionSpec& option : table.options) {
    const std::string label = option_label(option);
    // Of a switch that is given a value CLI11 names only the bare name.
    if (option.value.empty() && text.starts_with(option.name + " ")) return label + ": takes no value";
    if (!text.starts_with(label + ":") && !text.starts_with(label + " ")) continue;
    return missing_value(option);
  }
  return printable(text, 2 * kShownOctetsMax);
}

/// `--native eth0` as `--native=eth0`, where nothing but an option's value can follow an option.
std::vector<std::string> with_values_joined(const CommandTable& table, std::span<const std::string> arguments) {
  const bool has_positional = std::ranges::any_of(table.options, &OptionSpec::positional);
  std::vector<std::string> joined;
  bool waits = false;
  for (const std::string& argument : arguments) {
    if (waits && !argument.starts_with('-')) {
      joined.back() += "=" + argument;
      waits = false;
      continue;
    }
    joined.push_back(argument);
    waits = !has_positional && std::ranges::any_of(table.options, [&argument](const OptionSpec& option) {
      return option.value_optional && argument == "--" + option.name;
    });
  }
  return joined;
}

}  // namespace

Result<GivenOptions, std::string> read_arguments(const CommandTable& table, std::span<const std::string> arguments) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<CLI::Option*> options;
  std::vector<std::vector<std::string>> values(table.options.size());
  for (std::size_t i = 0; i < table.options.size(); ++i) {
    const OptionSpec& option = table.options[i];
    if (option.value.empty()) {
      options.push_back(app.add_flag(cli_name(option)));
      options.back()->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->disable_flag_override();
    } else if (option.value_optional) {
      // A flag to CLI11, which takes no following argument for its value.
      options.push_back(app.add_flag(cli_name(option)));
      options.back()->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    } else {
      // A list to CLI11, for any option, so that this program words the error "given twice"; one value at a time.
      options.push_back(app.add_option(cli_name(option), values[i])->allow_extra_args(false));
      if (option.positional) options.back()->expected(option.repeatable ? -1 : 1);
    }
  }
  try {
    std::vector<std::string> words = with_values_joined(table, arguments);
    std::ranges::reverse(words);
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return Unexpected<std::string>(reworded(table, error));
  }
  std::vector<std::string> extra = app.remaining();
  // CLI11 takes what follows the mark as it stands, and counts the mark itself among the remaining arguments.
  if (const auto mark = std::ranges::find(extra, "--"); mark != extra.end()) extra.erase(mark);
  if (!extra.empty()) {
    return Unexpected<std::string>(unexpected(table, extra.front()));
  }
  GivenOptions given(table.options.size());
  for (std::size_t i = 0; i < table.options.size(); ++i) {
    const OptionSpec& option = table.options[i];
    if (option.value.empty()) {
      if (options[i]->count() > 0) given[i].push_back({});
      continue;
    }
    if (option.value_optional) {
      values[i] = options[i]->results();
      for (std::string& value : values[i]) value = value == kFlagAlone ? "" : value;
    }
    if (values[i].size() > 1 && !option.repeatable) {
      return Unexpected<std::string>(option_label(option) + " " + printable(values[i][1], kShownOctetsMax) +
                                     ": given twice, but only one value can be meant");
    }
    for (std::string& value : values[i]) given[i].push_back({std::move(value), {}});
  }
  return given;
}

}  // namespace amt
