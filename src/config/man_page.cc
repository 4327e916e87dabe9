#include <algorithm>

#include "amt/version.hh"
#include "config/documents.hh"

namespace amt {
namespace {

/// Text as roff takes it: backslashes, minus signs that people copy, and lines that would be requests.
std::string roff(const std::string& text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '`') {
      out += "\\(aq";
    } else {
      out += c;
    }
    line_start = c == '\n';
  }
  return out;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

std::string header(const std::string& name, const std::string& summary) {
  return ".TH " + upper(roff(name)) + " 1 \"\" \"amtkit " + std::string(version()) + "\" \"User Commands\"\n" +
         ".SH NAME\n" + roff(name) + " \\- " + roff(summary) + "\n";
}

std::string paragraphs(const std::string& text) {
  std::string out = ".PP\n";
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find("\n\n", at), text.size());
    if (at > 0) out += ".PP\n";
    out += roff(text.substr(at, end - at)) + "\n";
    at = end + 2;
  }
  return out;
}

std::string option_entry(const OptionSpec& option) {
  std::string out = ".TP\n";
  if (option.positional) {
    out += "\\fI" + roff(option.value) + "\\fR\n";
  } else {
    if (option.short_name != '\0') out += std::string("\\fB\\-") + option.short_name + "\\fR, ";
    out += "\\fB\\-\\-" + roff(option.name) + "\\fR";
    if (!option.value.empty()) {
      const bool optional = option.value_optional;
      out += (optional ? "[=\\fI" : " \\fI") + roff(option.value) + (optional ? "\\fR]" : "\\fR");
    }
    out += "\n";
  }
  std::string help = option.help;
  for (std::size_t i = 0; i < option.choices.size(); ++i) help += (i == 0 ? ": " : ", ") + option.choices[i];
  if (option.repeatable) help += "; repeatable";
  help += ".";
  if (!option.default_text.empty()) help += " Default: " + option.default_text + ".";
  return out + roff(help) + "\n";
}

constexpr const char* kExitStatus =
    ".SH EXIT STATUS\n"
    ".TP\n0\nDone, or stopped by SIGINT or SIGTERM.\n"
    ".TP\n1\nFailed while running.\n"
    ".TP\n2\nThe arguments or the configuration file cannot be used; one line on standard error says why.\n";

}  // namespace

std::string program_man_page(const std::vector<CommandTable>& commands) {
  std::string out = header("amt", "Automatic Multicast Tunneling (RFC 7450)");
  out += ".SH SYNOPSIS\n\\fBamt\\fR \\fISUBCOMMAND\\fR [\\fIOPTION\\fR]...\n.SH DESCRIPTION\n";
  out += paragraphs(
      "Brings multicast to hosts and networks that have none. A relay, where multicast is, sends it in unicast UDP to "
      "gateways that ask for it. This program is the relay, the gateway, and a receiver for one channel that needs "
      "neither "
      "privileges nor an interface.");
  out += ".SH SUBCOMMANDS\n";
  for (const CommandTable& table : commands) {
    out += ".TP\n\\fB" + roff("amt-" + table.name) + "\\fR(1)\n" + roff(table.summary) + "\n";
  }
  out += ".SH CONFIGURATION FILE\n";
  out += paragraphs(
      "Every subcommand takes --config FILE. The file is TOML; its keys, at top level, are the names of the options, "
      "without "
      "the leading dashes; a repeatable option is an array, a switch true or false. Flags win over the file. A key "
      "that is "
      "no option is an error.");
  out += ".PP\n.EX\nlocal = [\"192.0.2.1\", \"2001:db8::1\"]\nupstream = [\"eth0\"]\nmax\\-tunnels = 5000\n.EE\n";
  return out + kExitStatus;
}

std::string command_man_page(const CommandTable& table) {
  const std::string name = "amt-" + table.name;
  std::string out = header(name, table.summary);
  out += ".SH SYNOPSIS\n\\fBamt " + roff(table.name) + "\\fR " + roff(table.synopsis) + "\n.SH DESCRIPTION\n";
  out += paragraphs(table.description);
  std::string heading = "none yet";
  out += ".SH OPTIONS\n";
  for (const OptionSpec& option : table.options) {
    const std::string group = option.positional ? "Arguments" : option.group.empty() ? "Options" : option.group;
    if (group != heading && !(heading == "none yet" && group == "Options")) out += ".SS " + group + "\n";
    heading = group;
    out += option_entry(option);
  }
  std::string reloaded;
  for (const OptionSpec& option : table.options) {
    if (option.on_reload && option.in_file) reloaded += (reloaded.empty() ? "" : ", ") + option_label(option);
  }
  if (table.name == "relay" || table.name == "gateway") {
    out += ".SH RELOAD\n" + paragraphs(
                                "At SIGHUP, and by amt reload, the configuration file is read again. These take "
                                "effect at once: " +
                                reloaded +
                                ". Others are named in the log, and wait for a "
                                "restart. A file that cannot be used changes nothing.");
  }
  out += ".SH EXAMPLES\n";
  for (const CommandExample& example : table.examples) {
    out += ".TP\n" + roff(example.explanation) + "\n\\fB" + roff(example.command) + "\\fR\n";
  }
  return out + kExitStatus + ".SH SEE ALSO\n\\fBamt\\fR(1), RFC 7450\n";
}

}  // namespace amt
