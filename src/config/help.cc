#include <algorithm>
#include <sstream>

#include "config/documents.hh"

namespace amt {
namespace {

constexpr std::size_t kLineColumns = 100;
constexpr std::size_t kHelpColumn = 28;

/// `text` broken into lines of at most `kLineColumns`, those after the first indented; `column`: where the first
/// begins.
std::string wrapped(const std::string& text, std::size_t column, std::size_t indent) {
  std::istringstream words(text);
  std::string out;
  std::string word;
  bool first = true;
  while (words >> word) {
    if (!first && column + 1 + word.size() > kLineColumns) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!first) {
      out += " ";
      ++column;
    }
    out += word;
    column += word.size();
    first = false;
  }
  return out;
}

std::string paragraphs(const std::string& text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find("\n\n", at), text.size());
    out += wrapped(text.substr(at, end - at), 0, 0) + "\n\n";
    at = end + 2;
  }
  return out;
}

std::string option_usage(const OptionSpec& option) {
  if (option.positional) return option.value;
  const std::string usage = option.short_name != '\0' ? std::string("-") + option.short_name + ", " : "    ";
  return usage + option_value_usage(option);
}

std::string entry(const std::string& name, const std::string& help) {
  std::string line = "  " + name;
  if (line.size() + 2 > kHelpColumn) {
    line += "\n" + std::string(kHelpColumn, ' ');
  } else {
    line.resize(kHelpColumn, ' ');
  }
  return line + wrapped(help, kHelpColumn, kHelpColumn) + "\n";
}

std::string option_entry(const OptionSpec& option) {
  std::string help = option.help;
  if (!option.choices.empty()) {
    help += ":";
    for (const std::string& choice : option.choices) help += " " + choice;
  }
  if (option.repeatable) help += "; repeatable";
  if (!option.default_text.empty()) help += " (default: " + option.default_text + ")";
  return entry(option_usage(option), help);
}

}  // namespace

std::string program_help(const std::vector<CommandTable>& commands) {
  std::string out =
      "Automatic Multicast Tunneling (RFC 7450): multicast for hosts and networks that have none.\n\n"
      "Usage: amt SUBCOMMAND [OPTION]...\n\n"
      "Subcommands:\n";
  for (const CommandTable& table : commands) out += entry(table.name, table.summary);
  out +=
      "\n"
      "  amt SUBCOMMAND --help     what it does, its options, an example\n"
      "  amt man [SUBCOMMAND]      its manual page\n"
      "  amt example-config relay  a configuration file with all options as comments (gateway, ..., too)\n"
      "  amt --version             the version, and the commit it was built of\n"
      "  amt completion bash       completion for the shell (zsh, fish, too): source <(amt completion bash)\n\n"
      "Examples:\n"
      "  amt demo\n"
      "  amt relay --upstream eth0\n"
      "  amt receive --relay 192.0.2.1 amt://198.51.100.10@232.1.1.1:5001 | mpv -\n";
  return out;
}

std::string command_help(const CommandTable& table) {
  std::string out = "amt " + table.name + ": " + table.summary + "\n\n";
  out += "Usage: amt " + table.name + " " + table.synopsis + "\n\n";
  out += paragraphs(table.description);
  out += table.examples.size() == 1 ? "Example:\n" : "Examples:\n";
  for (const CommandExample& example : table.examples) {
    out += "  " + example.explanation + "\n      " + example.command + "\n";
  }
  std::string heading = "none yet";
  for (const OptionSpec& option : table.options) {
    const std::string group = option.positional ? "Arguments" : option.group.empty() ? "Options" : option.group;
    if (group != heading) out += "\n" + group + ":\n";
    heading = group;
    out += option_entry(option);
  }
  return out;
}

}  // namespace amt
