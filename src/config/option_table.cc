#include "config/option_table.hh"

#include <algorithm>
#include <numeric>

namespace amt {
namespace {

/// Levenshtein's distance: single letters added, left out or exchanged.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t exchanged = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, exchanged});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string option_label(const OptionSpec& option) { return option.positional ? option.value : "--" + option.name; }

std::string option_value_usage(const OptionSpec& option) {
  const std::string label = option_label(option);
  if (option.positional || option.value.empty()) return label;
  return option.value_optional ? label + "[=" + option.value + "]" : label + " " + option.value;
}

const OptionSpec* find_option(const CommandTable& table, std::string_view name) {
  std::string dashed(name);
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  for (const OptionSpec& option : table.options) {
    if (option.name == dashed) return &option;
  }
  return nullptr;
}

void mark_reloadable(CommandTable& table, const std::vector<std::string_view>& names) {
  for (OptionSpec& option : table.options) {
    if (std::ranges::find(names, option.name) != names.end()) option.on_reload = true;
  }
}

std::string nearest_name(std::string_view word, const std::vector<std::string>& names) {
  constexpr std::size_t kWordOctetsMax = 64;
  std::string best;
  if (word.empty() || word.size() > kWordOctetsMax) return best;
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string& name : names) {
    // A word that was left unfinished is as near as one slip.
    const bool unfinished = word.size() >= 3 && name.starts_with(word);
    const std::size_t distance = unfinished ? 1 : edit_distance(word, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

}  // namespace amt
