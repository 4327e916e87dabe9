#pragma once
/// Tables for a person on a terminal.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace amt {

/// Columns as wide as their widest cell; the first to the left, numbers to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> head) { add(std::move(head)); }
  void add(std::vector<std::string> row) {
    widths_.resize(std::max(widths_.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], row[i].size());
    rows_.push_back(std::move(row));
  }
  /// Rows and notes, the head among them.
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  /// A line of its own below the last row.
  void add_note(std::string note) { rows_.push_back({"\t" + std::move(note)}); }

  [[nodiscard]] std::string to_string() const {
    std::string out;
    for (const std::vector<std::string>& row : rows_) {
      out += "  ";
      if (row.size() == 1 && row[0].starts_with('\t')) {
        out += "  " + row[0].substr(1) + "\n";
        continue;
      }
      for (std::size_t i = 0; i < row.size(); ++i) {
        out += i == 0 ? fmt::format("{:<{}}", row[i], widths_[i]) : fmt::format("  {:>{}}", row[i], widths_[i]);
      }
      out += "\n";
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
};

}  // namespace amt
