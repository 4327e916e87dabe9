#include "config/documents.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "config/command_tables.hh"

namespace amt {
namespace {

using ::testing::HasSubstr;

/// All tables, bound to values that live as long.
struct Tables {
  Tables() {
    all = {relay_table(relay),       gateway_table(gateway), receive_table(receive),   send_table(send),
           announce_table(announce), serve_table(serve),     discover_table(discover), status_table(status),
           top_table(top),           reload_table(reload),   drain_table(drain),       demo_table(demo)};
    for (CommandTable& table : all) add_common_options(table, common);
  }
  RelayConfig relay;
  GatewayConfig gateway;
  ReceiveConfig receive;
  SendConfig send;
  AnnounceConfig announce;
  ServeConfig serve;
  DiscoverConfig discover;
  StatusConfig status;
  ReloadConfig reload;
  DrainConfig drain;
  TopConfig top;
  DemoConfig demo;
  CommonConfig common;
  std::vector<CommandTable> all;
};

TEST(OptionTables, EveryOptionIsDescribedAndItsExampleWorks) {
  Tables tables;
  for (const CommandTable& table : tables.all) {
    EXPECT_FALSE(table.examples.empty()) << table.name;
    std::set<std::string> names;
    for (const OptionSpec& option : table.options) {
      const std::string what = table.name + " " + option.name;
      EXPECT_TRUE(names.insert(option.name).second) << what << " stands there twice";
      EXPECT_NE(option.help, "") << what;
      ASSERT_TRUE(option.apply) << what;
      if (option.value.empty()) continue;
      const auto applied = option.apply(option.example);
      EXPECT_TRUE(applied) << what << " " << option.example << ": " << (applied ? "" : applied.error().problem);
      for (const std::string& choice : option.choices) EXPECT_TRUE(option.apply(choice)) << what << " " << choice;
    }
    for (const OptionSpec& option : table.options) {
      EXPECT_EQ(option.excludes.empty(), find_option(table, option.excludes) == nullptr) << option.name;
    }
  }
}

TEST(Documents, HelpManPageAndCompletionNameEveryOption) {
  Tables tables;
  const std::string completion = bash_completion(tables.all);
  const std::string zsh = zsh_completion(tables.all);
  const std::string fish = fish_completion(tables.all);
  for (const CommandTable& table : tables.all) {
    EXPECT_THAT(program_help(tables.all), HasSubstr(table.name));
    EXPECT_THAT(program_man_page(tables.all), HasSubstr(table.name));
    EXPECT_THAT(command_help(table), HasSubstr("Usage: amt " + table.name));
    for (const OptionSpec& option : table.options) {
      if (option.positional) continue;
      EXPECT_THAT(command_help(table), HasSubstr("--" + option.name));
      EXPECT_THAT(completion, HasSubstr("--" + option.name));
      EXPECT_THAT(zsh, HasSubstr("--" + option.name + "["));
      EXPECT_THAT(fish, HasSubstr("subcommand_from " + table.name + "' -l " + option.name));
      std::string roff_name = "\\-\\-" + option.name;
      for (std::size_t at = 4; (at = roff_name.find('-', at)) != std::string::npos; at += 2)
        roff_name.replace(at, 1, "\\-");
      EXPECT_THAT(command_man_page(table), HasSubstr(roff_name));
    }
  }
}

TEST(Documents, HelpFitsAHundredColumns) {
  Tables tables;
  for (const CommandTable& table : tables.all) {
    const std::string help = command_help(table);
    for (std::size_t at = 0; at < help.size();) {
      const std::size_t end = help.find('\n', at);
      EXPECT_LE(end - at, 100u) << help.substr(at, end - at);
      at = end + 1;
    }
  }
}

}  // namespace
}  // namespace amt
