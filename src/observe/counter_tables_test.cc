#include "observe/counter_tables.hh"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "observe/page.hh"

namespace amt {
namespace {

TEST(CounterTables, TheDocumentIsWhatTheTablesSay) {
  const std::string path = std::string(AMT_SOURCES) + "/docs/counters.md";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (text.str() == counters_markdown()) return;
  const std::string made = ::testing::TempDir() + "counters.md";
  std::ofstream(made) << counters_markdown();
  FAIL() << "the tables have changed: cp " << made << " docs/counters.md";
}

TEST(CounterTables, NamesAreUniqueInTheirSection) {
  for (const CounterSection& section : counter_sections()) {
    std::set<std::string_view> names;
    for (const CounterInfo* const info : section.counters) {
      EXPECT_TRUE(names.insert(info->name).second) << section.name << " " << info->name;
    }
  }
}

TEST(Page, HasNoAddressOfAnotherHost) {
  std::size_t octets = 0;
  for (const PageFile& file : page_files()) {
    octets += file.text.size();
    for (const char* const scheme : {"https://", "src=\"//", "@import"}) {
      EXPECT_EQ(file.text.find(scheme), std::string_view::npos) << file.path << " " << scheme;
    }
    // The content security policy would refuse these.
    for (const char* const inlined : {" style=", " onclick=", "<style", "innerHTML", "eval("}) {
      EXPECT_EQ(file.text.find(inlined), std::string_view::npos) << file.path << " " << inlined;
    }
  }
  EXPECT_LT(octets, 200'000U);
}

}  // namespace
}  // namespace amt
