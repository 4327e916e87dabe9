#include "cli/drain_query.hh"

#include <gtest/gtest.h>

#include "cli/control_paths.hh"
#include "cli/reload_report.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(DrainQuery, IsReadAsItWasWritten) {
  for (const DrainQuery& query : {DrainQuery{}, DrainQuery{milliseconds(0), false}, DrainQuery{seconds(90), false},
                                  DrainQuery{std::nullopt, true}}) {
    const std::optional<DrainQuery> read = DrainQuery::parse(query.to_string());
    ASSERT_TRUE(read) << query.to_string();
    EXPECT_EQ(read->timeout, query.timeout);
    EXPECT_EQ(read->cancel, query.cancel);
  }
  EXPECT_EQ((DrainQuery{seconds(90), false}.to_string()), "timeout=90000");
}

TEST(DrainQuery, NothingElseIsOne) {
  for (const char* const text : {"timeout=", "timeout=-1", "timeout=5s", "timeout= 5", "timeout=99999999999999999999",
                                 "timeout=31622400001", "cancel=0", "cancel=1&timeout=5", "x"}) {
    EXPECT_FALSE(DrainQuery::parse(text)) << text;
  }
  EXPECT_TRUE(DrainQuery::parse("timeout=31622400000"));  // 366 days
}

TEST(ReloadReport, NamesWhatChangedAndWhatWaitsForARestart) {
  Reload reload;
  reload.changed = {"upstream", "max-tunnels"};
  reload.restart = {"workers"};
  EXPECT_EQ(reload_done(reload), ReloadReply(R"({"changed":["upstream","max-tunnels"],"restart":["workers"]})"));
  EXPECT_EQ(reload_done({}), ReloadReply(R"({"changed":[],"restart":[]})"));
  EXPECT_EQ(joined({"a", "b"}), "a, b");
}

TEST(ReloadReport, AFailureIsHandedOn) {
  const ReloadReply reply = reload_failed("no such file");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error(), "no such file");
}

TEST(ControlPaths, APathThatWasGivenIsTheOnlyOne) {
  EXPECT_EQ(control_paths("/run/x", {"relay", "gateway"}), std::vector<std::string>{"/run/x"});
  const std::vector<std::string> all = control_paths(std::nullopt, {"relay", "gateway"});
  EXPECT_GE(all.size(), 2U);
}

TEST(ControlPaths, AMissingSocketIsNobodyAndARefusedOneIsSomebodyElses) {
  EXPECT_TRUE(is_nobody_there(SysError{"connect", "/run/x", ENOENT}));
  EXPECT_TRUE(is_nobody_there(SysError{"connect", "/run/x", ECONNREFUSED}));
  const SysError refused{"connect", "/run/x", EACCES};
  EXPECT_FALSE(is_nobody_there(refused));
  EXPECT_NE(explain_asking(refused).find("try sudo"), std::string::npos);
  EXPECT_EQ(explain_asking(SysError{"read", "/run/x", EIO}).find("try sudo"), std::string::npos);
}

}  // namespace
}  // namespace amt
