#pragma once
/// The screen of `amt top`: from two looks at a status to lines. Pure: no terminal, no socket, no clock.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amt/time.hh"

namespace amt {

enum class TopStyle : std::uint8_t { kPlain, kTitle, kHead, kGood, kBad, kQuiet };
struct TopLine {
  std::string text;
  TopStyle style = TopStyle::kPlain;
};

/// The user's choice.
struct TopChoice {
  enum class List : std::uint8_t { kChannels, kTunnels };
  /// Of a relay; a gateway has its memberships.
  List list = List::kChannels;
  /// A number that is taken modulo how many keys the list has.
  std::size_t sort = 0;
  /// An address or prefix: of groups if it is multicast, else of gateways and sources. Empty: everything.
  std::string filter{};
  std::size_t offset = 0;
  bool help = false;
};

class TopView {
 public:
  /// The answer to `kHeadQuery`. False: this is no status.
  [[nodiscard]] bool set_head(Instant now, std::string_view json);
  static constexpr const char* kHeadQuery = "tunnels=0&channels=0&memberships=0";
  /// The next query. After `set_head`. `rows`: as many as the screen may show.
  [[nodiscard]] std::string list_query(const TopChoice& choice, std::size_t rows) const;
  /// The answer to it.
  void set_list(Instant now, std::string_view json);
  /// The list has no row from the offset on.
  [[nodiscard]] bool is_empty() const { return rows_.empty(); }
  /// In place of the lists: the problem.
  void set_problem(std::string problem) { problem_ = std::move(problem); }

  /// `height` lines at most, of `width` columns at most; the last one names the keys.
  [[nodiscard]] std::vector<TopLine> screen(const TopChoice& choice, std::size_t width, std::size_t height) const;
  /// How many rows of the list a screen of that height has.
  [[nodiscard]] static std::size_t rows_of(std::size_t height);

 private:
  struct Row {
    std::string name;
    std::vector<std::string> numbers{};
    bool is_bad = false;
  };
  /// A number at the last look, and its growth a second since the one before.
  struct Rate {
    Instant at{};
    double value = 0;
    std::optional<double> per_second{};
  };
  std::optional<double> rate_of(const std::string& name, Instant now, double value);
  [[nodiscard]] std::optional<double> counter_rate(std::string_view name) const;
  [[nodiscard]] bool is_relay() const { return role_ == "relay"; }
  [[nodiscard]] std::string title() const;
  [[nodiscard]] TopLine trouble() const;
  [[nodiscard]] std::vector<std::string> heads(const TopChoice& choice) const;

  std::string role_;
  std::string version_;
  double uptime_seconds_ = 0;
  double clients_ = 0;
  double channels_ = 0;
  std::string problem_{};
  std::string parts_{};  ///< upstream interfaces, or relays, with their states
  std::map<std::string, Rate> counters_{};
  std::map<std::string, Rate> rates_{};
  std::vector<Row> rows_{};
  double matched_ = 0;
};

/// `12.3 Mbit/s`
[[nodiscard]] std::string bit_rate_text(double bits_per_second);
/// `3 h`
[[nodiscard]] std::string duration_text(double seconds);

}  // namespace amt
