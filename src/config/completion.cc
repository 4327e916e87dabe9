#include "config/documents.hh"

namespace amt {
namespace {

/// The shell's code for the values of `option`; empty: nothing is offered.
std::string value_words(const OptionSpec& option) {
  if (!option.choices.empty()) {
    std::string words;
    for (const std::string& choice : option.choices) words += (words.empty() ? "" : " ") + choice;
    return "COMPREPLY=($(compgen -W '" + words + "' -- \"$cur\"))";
  }
  switch (option.completion) {
    case Completion::kNothing:
      return "COMPREPLY=()";
    case Completion::kFile:
      return "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))";
    case Completion::kDirectory:
      return "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\"))";
    case Completion::kInterface:
      return "COMPREPLY=($(compgen -W \"$(command ls /sys/class/net)\" -- \"$cur\"))";
  }
  return "COMPREPLY=()";
}

std::string command_case(const CommandTable& table) {
  std::string values;
  std::string flags;
  std::string rest = "COMPREPLY=()";
  for (const OptionSpec& option : table.options) {
    if (option.positional) {
      if (option.completion != Completion::kNothing) rest = value_words(option);
      continue;
    }
    flags += (flags.empty() ? "--" : " --") + option.name;
    if (option.value.empty() || option.value_optional) continue;
    values += "        --" + option.name + (option.short_name != '\0' ? std::string("|-") + option.short_name : "") +
              ") " + value_words(option) + "; return ;;\n";
  }
  return "    " + table.name + ")\n      case $prev in\n" + values + "      esac\n      if [[ $cur == -* ]]; then\n" +
         "        COMPREPLY=($(compgen -W '" + flags + "' -- \"$cur\"))\n      else\n        " + rest +
         "\n      fi ;;\n";
}

}  // namespace

std::string bash_completion(const std::vector<CommandTable>& commands) {
  std::string names;
  for (const CommandTable& table : commands) names += table.name + " ";
  std::string out =
      "# bash completion for amt: source <(amt completion bash)\n"
      "_amt() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W '" +
      names + "help man completion --help --version' -- \"$cur\"))\n    return\n  fi\n  case ${COMP_WORDS[1]} in\n";
  for (const CommandTable& table : commands) out += command_case(table);
  return out + "    help|man) COMPREPLY=($(compgen -W '" + names +
         "' -- \"$cur\")) ;;\n    completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$cur\")) ;;\n  esac\n}\n"
         "complete -F _amt amt\n";
}

}  // namespace amt
