/// Completion scripts for zsh and fish.

#include "config/documents.hh"

namespace amt {
namespace {

/// Text for between single quotes in a shell.
std::string shell_quoted(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

bool takes_a_word(const OptionSpec& option) { return !option.value.empty() && !option.value_optional; }

/// zsh's _arguments reads `:`, `[` and `]` itself.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return shell_quoted(out);
}

std::string zsh_action(const OptionSpec& option) {
  if (!option.choices.empty()) return "(" + joined(option.choices) + ")";
  switch (option.completion) {
    case Completion::kFile:
      return "_files";
    case Completion::kDirectory:
      return "_files -/";
    case Completion::kInterface:
      return "_net_interfaces";
    case Completion::kNothing:
      break;
  }
  return "";
}

std::string zsh_command(const CommandTable& table) {
  std::string out = "    " + table.name + ") _arguments";
  for (const OptionSpec& option : table.options) {
    const std::string value = ":" + zsh_text(option.value) + ":" + zsh_action(option);
    out += " \\\n      ";
    if (option.positional) {
      out += "'" + value + "'";
      continue;
    }
    const std::string help = "[" + zsh_text(option.help) + "]" + (takes_a_word(option) ? value : "");
    out += (option.repeatable ? "'*--" : "'--") + option.name + help + "'";
    if (option.short_name != '\0') out += " '-" + std::string(1, option.short_name) + help + "'";
  }
  return out + " ;;\n";
}

std::string fish_condition(const CommandTable& table) {
  return "complete -c amt -n '__fish_seen_subcommand_from " + table.name + "'";
}

std::string fish_option(const CommandTable& table, const OptionSpec& option) {
  std::string out = fish_condition(table);
  if (!option.positional) out += " -l " + option.name;
  if (option.short_name != '\0') out += std::string(" -s ") + option.short_name;
  if (!option.choices.empty()) {
    out += " -xa '" + joined(option.choices) + "'";
  } else if (option.completion == Completion::kInterface) {
    out += " -xa '(command ls /sys/class/net)'";
  } else if (option.completion != Completion::kNothing) {
    out += option.positional ? " -F" : " -rF";
  } else if (takes_a_word(option) && !option.positional) {
    out += " -x";
  }
  return out + " -d '" + shell_quoted(option.help) + "'\n";
}

}  // namespace

std::string zsh_completion(const std::vector<CommandTable>& commands) {
  std::string out =
      "#compdef amt\n"
      "# zsh completion for amt: source <(amt completion zsh), or as _amt in a directory of $fpath\n"
      "_amt() {\n"
      "  if ((CURRENT == 2)); then\n"
      "    local -a commands=(\n";
  for (const CommandTable& table : commands) out += "      '" + table.name + ":" + zsh_text(table.summary) + "'\n";
  out +=
      "      'help:show what a subcommand does' 'man:show a manual page' 'completion:print a completion script'\n"
      "    )\n"
      "    _describe 'subcommand' commands\n"
      "    return\n"
      "  fi\n"
      "  local command=$words[2]\n"
      "  shift words\n"
      "  ((CURRENT--))\n"
      "  case $command in\n";
  std::vector<std::string> names;
  for (const CommandTable& table : commands) {
    out += zsh_command(table);
    names.push_back(table.name);
  }
  return out + "    help|man) compadd " + joined(names) +
         " ;;\n    completion) compadd bash zsh fish ;;\n  esac\n}\n"
         "if [[ $funcstack[1] == _amt ]]; then _amt \"$@\"; else compdef _amt amt; fi\n";
}

std::string fish_completion(const std::vector<CommandTable>& commands) {
  std::string out =
      "# fish completion for amt: amt completion fish | source\n"
      "complete -c amt -f\n";
  std::vector<std::string> names;
  for (const CommandTable& table : commands) {
    names.push_back(table.name);
    out += "complete -c amt -n __fish_use_subcommand -a " + table.name + " -d '" + shell_quoted(table.summary) + "'\n";
  }
  out +=
      "complete -c amt -n __fish_use_subcommand -a help -d 'show what a subcommand does'\n"
      "complete -c amt -n __fish_use_subcommand -a man -d 'show a manual page'\n"
      "complete -c amt -n __fish_use_subcommand -a completion -d 'print a completion script'\n"
      "complete -c amt -n '__fish_seen_subcommand_from help man' -a '" +
      joined(names) + "'\ncomplete -c amt -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n";
  for (const CommandTable& table : commands) {
    for (const OptionSpec& option : table.options) {
      if (!option.positional || option.completion != Completion::kNothing) out += fish_option(table, option);
    }
  }
  return out;
}

}  // namespace amt
