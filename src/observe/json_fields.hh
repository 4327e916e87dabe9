#pragma once
/// Reading a status that another process sent. Its values are shown, not believed: a value that is missing or of
/// another kind is empty.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "base/printable.hh"

namespace amt::json_fields {

namespace json = boost::json;

[[nodiscard]] inline std::string text(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains({key.data(), key.size()});
  if (value == nullptr || value->is_null()) return "";
  if (const json::string* const string = value->if_string())
    return printable(std::string_view(string->data(), string->size()));
  if (value->is_number()) return fmt::format("{:.0f}", value->to_number<double>());
  return "";
}

/// 0 to 1e18; 0 where there is no number.
[[nodiscard]] inline double number(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_number() ? std::clamp(value->to_number<double>(), 0.0, 1e18) : 0;
}

[[nodiscard]] inline const json::array& list(const json::object& object, std::string_view key) {
  static const json::array kNone;
  const json::value* const value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

template <typename F>
void for_each_object(const json::object& object, std::string_view key, F&& f) {
  for (const json::value& value : list(object, key)) {
    if (value.is_object()) f(value.get_object());
  }
}

[[nodiscard]] inline bool flag(const json::object& object, std::string_view key) {
  const json::value* const value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace amt::json_fields
