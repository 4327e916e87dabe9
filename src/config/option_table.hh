#pragma once
/// The one definition of options. From a `CommandTable` come the flags (arguments.cc), the keys of the configuration
/// file (toml_file.cc), the help (help.cc), the man page (man_page.cc) and the completion (completion.cc).

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amt/result.hh"

namespace amt {

/// The mistake in a value, worded to stand after it: "not an IPv4 or IPv6 address".
struct BadValue {
  std::string problem;
};
template <typename T>
using ValueResult = Result<T, BadValue>;

/// The values that a shell may offer.
enum class Completion : std::uint8_t { kNothing, kFile, kDirectory, kInterface };

struct OptionSpec {
  std::string name{};      ///< "relay-port"; a positional argument: its name in a configuration file, "url"
  char short_name = '\0';  ///< 'o' for `-o`
  std::string value{};     ///< "ADDR"; empty: a switch
  /// `--native` alone is enough; a value follows a `=` only. In a file: true, or the value.
  bool value_optional = false;
  std::string group{};  ///< heading in the help
  std::string help{};   ///< a phrase or two, no full stop at the end
  std::string default_text{};
  std::string example{};  ///< a value that works, for messages
  bool positional = false;
  bool required = false;
  bool repeatable = false;
  /// May stand in a configuration file.
  bool in_file = true;
  /// A reload takes up a change; else only a restart does.
  bool on_reload = false;
  /// Another option that says the opposite: both together are an error, a flag displaces the other in the file.
  std::string excludes{};
  std::vector<std::string> choices{};
  Completion completion = Completion::kNothing;
  /// Takes one value (a switch, or without its optional value: none, called when it is on) into the config struct that
  /// the table was made for.
  std::function<ValueResult<void>(std::string_view value)> apply{};
};

struct CommandExample {
  std::string explanation;
  std::string command;
};

/// A complaint about options together, worded as a whole line: "--verify needs ...".
using CommandCheck = std::function<std::optional<std::string>()>;

struct CommandTable {
  std::string name;         ///< "relay"
  std::string summary;      ///< one line
  std::string synopsis;     ///< the text after the name: "[OPTION]... URL"
  std::string description;  ///< paragraphs separated by an empty line
  std::vector<OptionSpec> options;
  std::vector<CommandExample> examples;
  /// Fills in values that depend on other options, once all values are applied.
  CommandCheck finish;
};

/// A value as it was given.
struct GivenValue {
  std::string value;
  /// Given in a configuration file, "FILE:LINE"; empty: on the command line.
  std::string file_position;
};
/// For each option of a table, in its order, the given values.
using GivenOptions = std::vector<std::vector<GivenValue>>;

/// How a person names the option on the command line: `--local`, or URL.
[[nodiscard]] std::string option_label(const OptionSpec& option);
/// The same with its value: `--local ADDR`, `--native[=IF]`.
[[nodiscard]] std::string option_value_usage(const OptionSpec& option);
/// The option of that name (or with `_` for `-`).
[[nodiscard]] const OptionSpec* find_option(const CommandTable& table, std::string_view name);

/// Marks these options of the table: `OptionSpec::on_reload`.
void mark_reloadable(CommandTable& table, const std::vector<std::string_view>& names);

/// Of `names` the one that `word` was probably meant to be; empty: none is near.
[[nodiscard]] std::string nearest_name(std::string_view word, const std::vector<std::string>& names);

}  // namespace amt
