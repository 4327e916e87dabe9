#pragma once
/// All counter tables together: for docs/counters.md and for the page.

#include <string>
#include <string_view>
#include <vector>

#include "base/counter_table.hh"

namespace amt {

struct CounterSection {
  std::string_view name;  ///< "relay"
  std::string_view title;
  std::vector<const CounterInfo*> counters{};
};
[[nodiscard]] std::vector<CounterSection> counter_sections();

/// docs/counters.md
[[nodiscard]] std::string counters_markdown();
/// `{"relay":{"requests_received":{"unit":...,"help":...,"remedy":...,"kind":"reject"|"drop"|"other"},...},...}`
[[nodiscard]] std::string counters_json();

}  // namespace amt
