#include "config/command_line.hh"

#include <algorithm>

#include "amt/version.hh"
#include "base/printable.hh"
#include "config/command_tables.hh"
#include "config/documents.hh"
#include "config/sources.hh"

namespace amt {
namespace {

constexpr std::size_t kShownOctetsMax = 80;

/// Makes the table of one subcommand, bound to `invocation`.
using TableMaker = CommandTable (*)(Invocation& invocation);

template <typename Config, CommandTable (*make)(Config&)>
CommandTable make_table(Invocation& invocation) {
  CommandTable table = make(invocation.command.emplace<Config>());
  add_common_options(table, invocation.common);
  return table;
}

constexpr TableMaker kTableMakers[] = {
    make_table<RelayConfig, relay_table>,       make_table<GatewayConfig, gateway_table>,
    make_table<ServeConfig, serve_table>,       make_table<ReceiveConfig, receive_table>,
    make_table<SendConfig, send_table>,         make_table<AnnounceConfig, announce_table>,
    make_table<DiscoverConfig, discover_table>, make_table<StatusConfig, status_table>,
    make_table<TopConfig, top_table>,           make_table<ReloadConfig, reload_table>,
    make_table<DrainConfig, drain_table>,       make_table<BenchConfig, bench_table>,
    make_table<DemoConfig, demo_table>,
};

/// All tables, to be read only: the structures that they are bound to are gone.
std::vector<CommandTable> all_tables() {
  std::vector<CommandTable> tables;
  for (const TableMaker make : kTableMakers) {
    Invocation scratch;
    tables.push_back(make(scratch));
    tables.back().finish = nullptr;
    for (OptionSpec& option : tables.back().options) option.apply = nullptr;
  }
  return tables;
}

Unexpected<EarlyExit> print(std::string text) { return Unexpected<EarlyExit>(EarlyExit{0, std::move(text), {}}); }
Unexpected<EarlyExit> usage_error(const std::string& program, const std::string& message) {
  return Unexpected<EarlyExit>(EarlyExit{kUsageStatus, {}, program + ": " + message + "\n"});
}

bool asks_for_help(std::span<const std::string> arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return false;
    if (argument == "--help" || argument == "-h") return true;
  }
  return false;
}

/// The message about one value: its name where it was given, the value, the mistake, and a value that works.
std::string complaint(const OptionSpec& option, const GivenValue& given, const std::string& problem) {
  const bool in_file = !given.file_position.empty();
  const std::string value = given.value.empty() ? "\"\"" : printable(given.value, kShownOctetsMax);
  std::string message = in_file ? given.file_position + ": " + option.name : option_label(option);
  message += " " + value + ": " + problem;
  if (in_file) return message + " (example: " + option.name + " = \"" + option.example + "\")";
  const std::string label = option.positional ? "" : option_label(option) + (option.value_optional ? "=" : " ");
  return message + " (example: " + label + option.example + ")";
}

Result<void, std::string> apply_given(const CommandTable& table, const GivenOptions& given) {
  for (std::size_t i = 0; i < table.options.size(); ++i) {
    const OptionSpec& option = table.options[i];
    if (given[i].empty()) {
      if (!option.required) continue;
      return Unexpected<std::string>(option_label(option) + " is missing (example: " +
                                     (option.positional ? "amt " + table.name : option_label(option)) + " " +
                                     option.example + ")");
    }
    if (const OptionSpec* const other = find_option(table, option.excludes);
        other != nullptr && !given[static_cast<std::size_t>(other - table.options.data())].empty()) {
      return Unexpected<std::string>(option_label(option) + " and " + option_label(*other) +
                                     ": both given, but they exclude each other");
    }
    for (const GivenValue& value : given[i]) {
      if (const ValueResult<void> applied = option.apply(value.value); !applied) {
        return Unexpected<std::string>(complaint(option, value, applied.error().problem));
      }
    }
  }
  if (!table.finish) return {};
  if (const std::optional<std::string> problem = table.finish()) return Unexpected<std::string>(*problem);
  return {};
}

/// By flags and by the file that they name.
Result<GivenOptions, std::string> read_options(const CommandTable& table, std::span<const std::string> arguments) {
  Result<GivenOptions, std::string> given = read_arguments(table, arguments);
  if (!given) return given;
  const OptionSpec* const config = find_option(table, "config");
  const std::vector<GivenValue>& files = (*given)[static_cast<std::size_t>(config - table.options.data())];
  if (!files.empty()) {
    if (auto read = read_config_file(table, files.front().value, *given); !read) {
      return Unexpected<std::string>(read.error());
    }
  }
  return given;
}

bool is_same(const std::vector<GivenValue>& one, const std::vector<GivenValue>& other) {
  return std::ranges::equal(one, other, {}, &GivenValue::value, &GivenValue::value);
}

/// Finds the differences, and resets options that a reload does not change.
void merge_given(const CommandTable& table, const GivenOptions& before, GivenOptions& given, Reload& reload) {
  const auto index_of = [&table](const OptionSpec& option) {
    return static_cast<std::size_t>(&option - table.options.data());
  };
  const auto differs = [&](const OptionSpec* option) {
    return option != nullptr && !is_same(before[index_of(*option)], given[index_of(*option)]);
  };
  // An option cannot change while its opposite does not.
  std::vector<const OptionSpec*> kept;
  for (const OptionSpec& option : table.options) {
    if (!differs(&option)) continue;
    const auto is_opposite = [&](const OptionSpec& other) {
      return !other.on_reload && differs(&other) && (other.name == option.excludes || other.excludes == option.name);
    };
    const bool changes = option.on_reload && std::ranges::none_of(table.options, is_opposite);
    (changes ? reload.changed : reload.restart).push_back(option.name);
    if (!changes) kept.push_back(&option);
  }
  for (const OptionSpec* option : kept) given[index_of(*option)] = before[index_of(*option)];
}

std::string command_names(const std::vector<CommandTable>& tables) {
  std::string names;
  for (const CommandTable& table : tables) names += (names.empty() ? "" : ", ") + table.name;
  return names;
}

Result<Invocation, EarlyExit> no_such_command(const std::string& word, const std::vector<CommandTable>& tables) {
  const std::string shown = printable(word, kShownOctetsMax);
  if (word.starts_with('-')) {
    return usage_error("amt", shown + ": unknown option; a subcommand comes first, as in `amt relay --help`");
  }
  std::vector<std::string> names;
  for (const CommandTable& table : tables) names.push_back(table.name);
  const std::string nearest = nearest_name(word, names);
  return usage_error("amt", shown + ": no such subcommand" +
                                (nearest.empty() ? "" : "; did you mean amt " + nearest + "?") + " (there are " +
                                command_names(tables) + ")");
}

Result<Invocation, EarlyExit> show_man_page(const std::string& subject, const std::vector<CommandTable>& tables) {
  if (subject.empty()) return Unexpected<EarlyExit>(EarlyExit{0, program_help(tables), {}, program_man_page(tables)});
  for (const CommandTable& table : tables) {
    if (table.name != subject) continue;
    return Unexpected<EarlyExit>(EarlyExit{0, command_help(table), {}, command_man_page(table)});
  }
  return no_such_command(subject, tables);
}

Result<Invocation, EarlyExit> show_example_config(const std::string& subject, const std::vector<CommandTable>& tables) {
  for (const CommandTable& table : tables) {
    if (table.name == subject) return print(example_config(table));
  }
  if (!subject.empty()) return no_such_command(subject, tables);
  return usage_error("amt example-config", "a subcommand must follow (example: amt example-config relay)");
}

std::string version_line(std::string_view commit) {
  return "amt " + std::string(version()) + (commit.empty() ? "" : " (commit " + std::string(commit) + ")") + "\n";
}

/// `amt help`, `amt man`, `amt man-page`, `amt completion`, `amt subcommands`, `amt example-config`: documents of all
/// subcommands.
Result<Invocation, EarlyExit> print_document(std::span<const std::string> arguments) {
  const std::vector<CommandTable> tables = all_tables();
  const std::string& kind = arguments[0];
  const std::string subject = arguments.size() > 1 ? arguments[1] : "";
  if (kind == "completion") {
    if (subject == "bash") return print(bash_completion(tables));
    if (subject == "zsh") return print(zsh_completion(tables));
    if (subject == "fish") return print(fish_completion(tables));
    return usage_error("amt completion",
                       "the name of a shell must follow, bash, zsh or fish (example: source <(amt completion bash))");
  }
  if (kind == "man") return show_man_page(subject, tables);
  // For the build, which installs a page for each of them.
  if (kind == "subcommands") {
    std::string names;
    for (const CommandTable& table : tables) names += table.name + "\n";
    return print(std::move(names));
  }
  if (kind == "example-config") return show_example_config(subject, tables);
  const bool is_man_page = kind == "man-page";
  if (subject.empty()) return print(is_man_page ? program_man_page(tables) : program_help(tables));
  for (const CommandTable& table : tables) {
    if (table.name == subject) return print(is_man_page ? command_man_page(table) : command_help(table));
  }
  return no_such_command(subject, tables);
}

}  // namespace

Result<Invocation, EarlyExit> parse_command_line(std::span<const std::string> arguments, std::string_view commit) {
  if (arguments.empty()) {
    return usage_error("amt", "a subcommand must follow: " + command_names(all_tables()) + "\nHelp: amt --help");
  }
  const std::string& word = arguments[0];
  if (word == "--help" || word == "-h") return print(program_help(all_tables()));
  if (word == "--version" || word == "-V") return print(version_line(commit));
  constexpr std::string_view kDocuments[] = {"help", "man", "man-page", "completion", "subcommands", "example-config"};
  if (std::ranges::find(kDocuments, word) != std::end(kDocuments)) return print_document(arguments);

  for (const TableMaker make : kTableMakers) {
    Invocation invocation;
    const CommandTable table = make(invocation);
    if (table.name != word) continue;
    const std::span<const std::string> rest = arguments.subspan(1);
    if (asks_for_help(rest)) return print(command_help(table));
    Result<GivenOptions, std::string> given = read_options(table, rest);
    if (!given) return usage_error("amt " + word, given.error());
    if (const auto applied = apply_given(table, *given); !applied) return usage_error("amt " + word, applied.error());
    invocation.given = std::move(*given);
    return invocation;
  }
  return no_such_command(word, all_tables());
}

Result<Reload, std::string> reload_command_line(std::span<const std::string> arguments, const Invocation& running) {
  for (const TableMaker make : kTableMakers) {
    Reload reload;
    const CommandTable table = make(reload.invocation);
    if (arguments.empty() || table.name != arguments[0]) continue;
    Result<GivenOptions, std::string> given = read_options(table, arguments.subspan(1));
    if (!given) return Unexpected<std::string>(given.error());
    // Options that will not change yet must be right, too: the restart is to find a good file.
    Invocation whole;
    if (const auto applied = apply_given(make(whole), *given); !applied)
      return Unexpected<std::string>(applied.error());
    merge_given(table, running.given, *given, reload);
    if (const auto applied = apply_given(table, *given); !applied) return Unexpected<std::string>(applied.error());
    reload.invocation.given = std::move(*given);
    return reload;
  }
  return Unexpected<std::string>("there is no such subcommand");
}

}  // namespace amt
