#include <algorithm>
#include <sstream>
#include <vector>

#include "config/documents.hh"

namespace amt {
namespace {

constexpr std::size_t kLineColumns = 100;

/// `text` as comment lines.
std::string comment(const std::string& text) {
  std::istringstream words(text);
  std::string out;
  std::string line = "#";
  std::string word;
  while (words >> word) {
    if (line.size() + 1 + word.size() > kLineColumns) {
      out += line + "\n";
      line = "#";
    }
    line += " " + word;
  }
  return out + line + "\n";
}

std::string toml_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// A number needs no quotes.
std::string toml_value(const OptionSpec& option) {
  if (option.value.empty()) return "true";
  const std::string& text = option.example;
  const bool is_number = !text.empty() && text.size() < 10 &&
                         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }) &&
                         (text.size() == 1 || text[0] != '0');
  const std::string value = is_number ? text : toml_text(text);
  return option.repeatable ? "[" + value + "]" : value;
}

std::string option_lines(const OptionSpec& option) {
  std::string help = option.help;
  if (!option.choices.empty()) {
    help += ":";
    for (const std::string& choice : option.choices) help += " " + choice;
  }
  if (!option.default_text.empty()) help += " (default: " + option.default_text + ")";
  return comment(help) + "#" + option.name + " = " + toml_value(option) + "\n\n";
}

}  // namespace

std::string example_config(const CommandTable& table) {
  std::string out =
      comment("Options of `amt " + table.name + "`, for --config. To set one, take away the # before its name.") +
      comment("man amt-" + table.name + " explains them; a flag on the command line wins over this file.") + "\n";
  std::vector<std::string> groups;
  for (const OptionSpec& option : table.options) {
    if (std::ranges::find(groups, option.group) == groups.end()) groups.push_back(option.group);
  }
  for (const std::string& group : groups) {
    out += "## " + (group.empty() ? "Options" : group) + "\n\n";
    for (const OptionSpec& option : table.options) {
      if (option.group == group && option.in_file) out += option_lines(option);
    }
  }
  // One line end is enough at the end.
  out.pop_back();
  return out;
}

}  // namespace amt
