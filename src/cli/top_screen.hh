#pragma once
/// A terminal as `amt top` uses it, by ncurses.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "observe/top_view.hh"

namespace amt {

/// Takes over the terminal of this process until it is destroyed. One at a time.
class TopScreen {
 public:
  /// Whether standard input and output are a terminal that ncurses knows.
  [[nodiscard]] static bool is_possible();

  TopScreen();
  ~TopScreen();
  TopScreen(const TopScreen&) = delete;
  TopScreen& operator=(const TopScreen&) = delete;

  /// Columns and lines, as of the last key.
  [[nodiscard]] std::pair<std::size_t, std::size_t> size() const;
  void draw(const std::vector<TopLine>& lines);

  enum class Key : std::uint8_t {
    kNone,
    kEnd,
    kChannels,
    kTunnels,
    kSort,
    kFilter,
    kHelp,
    kUp,
    kDown,
    kPageUp,
    kPageDown,
    kResized
  };
  /// Waits for a key, `milliseconds` at most.
  [[nodiscard]] Key wait_key(int milliseconds);
  /// Asks for a line of text at the bottom; ends with Enter.
  [[nodiscard]] std::string ask(const std::string& question);
};

}  // namespace amt
