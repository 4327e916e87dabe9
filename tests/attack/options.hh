#pragma once
/// Options of the attacker's program, `name=value`: only the tests of this folder call it.

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/time.hh"

namespace amt::attack {

[[noreturn]] inline void fail(std::string_view what, std::string_view detail) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(detail.size()),
               detail.data());
  std::exit(2);
}

/// Each value is asked for by its name; a wrong one ends the program with status 2.
class Options {
 public:
  Options(int count, char** words) {
    for (int i = 0; i < count; ++i) {
      const std::string_view word = words[i];
      const std::size_t equals = word.find('=');
      if (equals == std::string_view::npos) fail("not name=value", word);
      values_.insert_or_assign(std::string(word.substr(0, equals)), std::string(word.substr(equals + 1)));
    }
  }

  [[nodiscard]] bool has(const std::string& name) const { return values_.contains(name); }
  [[nodiscard]] const std::string& text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) fail("missing option", name);
    return found->second;
  }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const {
    return has(name) ? text(name) : otherwise;
  }
  [[nodiscard]] std::uint32_t number(const std::string& name, std::uint32_t otherwise) const {
    if (!has(name)) return otherwise;
    const std::string& word = text(name);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) fail("not a number", word);
    return value;
  }
  /// Divided by commas.
  [[nodiscard]] std::vector<std::uint16_t> ports(const std::string& name) const {
    std::vector<std::uint16_t> out;
    for (const std::string_view word : split(text(name))) {
      std::uint16_t value = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc() || end != word.data() + word.size()) fail("not a port", word);
      out.push_back(value);
    }
    return out;
  }
  [[nodiscard]] Duration milliseconds(const std::string& name, std::uint32_t otherwise) const {
    return std::chrono::milliseconds(number(name, otherwise));
  }
  [[nodiscard]] IpAddress address(const std::string& name) const { return parse(text(name)); }
  /// Divided by commas.
  [[nodiscard]] std::vector<IpAddress> addresses(const std::string& name) const {
    std::vector<IpAddress> out;
    for (const std::string_view word : split(text(name))) out.push_back(parse(word));
    return out;
  }

 private:
  static std::vector<std::string_view> split(std::string_view rest) {
    std::vector<std::string_view> out;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      out.push_back(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return out;
  }
  static IpAddress parse(std::string_view word) {
    const auto value = IpAddress::parse(word);
    if (!value) fail("not an address", word);
    return *value;
  }
  std::map<std::string, std::string> values_;
};

}  // namespace amt::attack
