#include <toml++/toml.h>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/printable.hh"
#include "config/sources.hh"

namespace amt {
namespace {

constexpr std::size_t kFileOctetsMax = 1 << 20;
constexpr std::size_t kShownOctetsMax = 80;

Unexpected<std::string> bad(std::string message) { return Unexpected<std::string>(std::move(message)); }

Result<std::string, std::string> read_text(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    text.resize(kFileOctetsMax + 1);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad()) {
    const char* const reason = errno == 0 ? "cannot be read" : std::strerror(errno);
    return bad("--config " + printable(path) + ": " + reason);
  }
  if (text.size() > kFileOctetsMax) return bad("--config " + printable(path) + ": larger than 1 MiB");
  return text;
}

/// The text that a flag would have had; nothing: no single value.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) {
    std::ostringstream out;
    out << number->get();
    return out.str();
  }
  return std::nullopt;
}

/// One file on its way into the options of one subcommand.
class FileReader {
 public:
  FileReader(const CommandTable& table, std::string shown_path) : table_(table), path_(std::move(shown_path)) {}

  Result<void, std::string> add(std::string_view key, const toml::node& node, GivenOptions& given) const {
    const std::string shown = printable(key, kShownOctetsMax);
    if (node.is_table()) return bad(position(node) + ": " + shown + ": no tables; all keys stand at top level");
    const OptionSpec* const option = find_option(table_, key);
    if (option == nullptr || !option->in_file) return bad(position(node) + ": " + unknown(shown, option != nullptr));
    const auto index = static_cast<std::size_t>(option - table_.options.data());
    if (is_overruled(*option)) return {};
    std::vector<GivenValue>& values = given[index];
    if (!values.empty()) return bad(position(node) + ": " + shown + ": stands in the file twice, with - and with _");
    const auto* const on = node.as_boolean();
    if (option->value.empty() || (option->value_optional && on != nullptr)) {
      if (on == nullptr) return bad(position(node) + ": " + shown + ": must be true or false");
      if (on->get()) values.push_back({{}, position(node)});
      return {};
    }
    if (const auto* const list = node.as_array(); list != nullptr && option->repeatable) {
      for (const toml::node& element : *list) {
        if (auto added = add_scalar(*option, shown, element, values); !added) return added;
      }
      return {};
    }
    return add_scalar(*option, shown, node, values);
  }

  /// Options that the command line has given, to be left alone.
  void remember_flags(const GivenOptions& given) {
    for (const std::vector<GivenValue>& values : given) given_by_flag_.push_back(!values.empty());
  }

 private:
  [[nodiscard]] std::string position(const toml::node& node) const {
    return path_ + ":" + std::to_string(node.source().begin.line);
  }
  [[nodiscard]] bool is_overruled(const OptionSpec& option) const {
    const auto by_flag = [this](const OptionSpec* other) {
      return other != nullptr && given_by_flag_[static_cast<std::size_t>(other - table_.options.data())];
    };
    return by_flag(&option) || (!option.excludes.empty() && by_flag(find_option(table_, option.excludes)));
  }
  [[nodiscard]] std::string unknown(const std::string& key, bool is_flag_only) const {
    if (is_flag_only) return key + ": cannot stand in a configuration file";
    std::vector<std::string> names;
    for (const OptionSpec& option : table_.options) {
      if (option.in_file) names.push_back(option.name);
    }
    const std::string nearest = nearest_name(key, names);
    return key + ": unknown key" + (nearest.empty() ? "" : "; did you mean " + nearest + "?") + " (amt " + table_.name +
           " --help shows the options)";
  }
  Result<void, std::string> add_scalar(const OptionSpec& option, const std::string& key, const toml::node& node,
                                       std::vector<GivenValue>& values) const {
    std::optional<std::string> text = scalar_text(node);
    if (!text) {
      const char* const problem = !node.is_array()    ? ": must be a string or a number"
                                  : option.repeatable ? ": must be a list of strings or numbers"
                                                      : ": takes one value, not a list";
      return bad(position(node) + ": " + key + problem);
    }
    values.push_back({std::move(*text), position(node)});
    return {};
  }

  const CommandTable& table_;
  std::string path_;
  std::vector<bool> given_by_flag_;
};

}  // namespace

Result<void, std::string> read_config_file(const CommandTable& table, const std::string& path, GivenOptions& given) {
  const Result<std::string, std::string> text = read_text(path);
  if (!text) return Unexpected<std::string>(text.error());
  FileReader reader(table, printable(path));
  reader.remember_flags(given);
  try {
    const toml::table root = toml::parse(*text);
    for (const auto& [key, node] : root) {
      if (auto added = reader.add(key.str(), node, given); !added) return added;
    }
  } catch (const toml::parse_error& error) {
    return bad(printable(path) + ":" + std::to_string(error.source().begin.line) +
               ": not valid TOML: " + printable(error.description(), 2 * kShownOctetsMax));
  }
  return {};
}

}  // namespace amt
