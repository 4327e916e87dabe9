#include "cli/explain.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "cli/cli_test_support.hh"
#include "cli/failure.hh"
#include "engine/relay/upstream.hh"
#include "sys/test_namespace.hh"

namespace amt::cli_test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST(Explain, NamesTheRemedyOfAPort) {
  EXPECT_THAT(explain({"bind", "192.0.2.1:2268", EADDRINUSE}),
              EndsWith("(UDP port 2268 is in use by another program; stop it or choose another port)"));
  EXPECT_THAT(explain({"--http", "127.0.0.1:80", EADDRINUSE}), HasSubstr("TCP port 80 is in use"));
  EXPECT_THAT(explain({"--listen", "127.0.0.1:80", EADDRINUSE}), HasSubstr("TCP port 80 is in use"));
  EXPECT_THAT(explain({"bind", "192.0.2.1:2268", EADDRNOTAVAIL}), HasSubstr("ip address add"));
  EXPECT_THAT(explain({"bind", "0.0.0.0:80", EACCES}), HasSubstr("port 80 needs privileges"));
}

TEST(Explain, NamesTheRightsThatAreMissing) {
  for (const SysError& error : {SysError{"socket", "far", EPERM}, SysError{"socket", "far", EACCES},
                                SysError{"open", "/dev/net/tun", EACCES}}) {
    EXPECT_THAT(explain(error), HasSubstr("CAP_NET_ADMIN, CAP_NET_RAW")) << error.to_string();
  }
  EXPECT_THAT(explain({"open", "/dev/net/tun", ENOENT}), HasSubstr("modprobe tun"));
}

TEST(Explain, HasNothingToAddToAUsersFile) {
  const SysError error{"open", "/srv/x", EACCES};
  EXPECT_EQ(explain(error), error.to_string());
  const SysError busy{"listen", "x", EADDRINUSE};
  EXPECT_EQ(explain(busy), busy.to_string());
  const SysError odd{"create socket", "x", EINVAL};
  EXPECT_EQ(explain(odd), odd.to_string());
}

TEST(Explain, AnInterfaceOfThatNameIsInTheWay) {
  EXPECT_THAT(explain({"create interface", "amt0", EBUSY}), HasSubstr("choose another with --interface"));
  EXPECT_THAT(explain({"create interface", "eth0", EINVAL}), HasSubstr("choose another with --interface"));
}

TEST(Explain, AnUpstreamThatCannotBeOneNamesTheOneThatCan) {
  EXPECT_THAT(explain({std::string(kUpstreamRefused), "eth0, a port of br0", EINVAL}), HasSubstr("use --upstream br0"));
  EXPECT_THAT(explain({std::string(kUpstreamRefused), "amt0, of the gateway here", EINVAL}),
              HasSubstr("this relay's own data would come back there"));
}

using ExplainInNamespace = InTestNamespace;

TEST_F(ExplainInNamespace, NamesTheInterfacesThatThereAre) {
  EXPECT_THAT(explain({"find interface", "eth9", ENODEV}), EndsWith("no such interface; there are: lo)"));
  EXPECT_EQ(no_such_interface("--interface", "eth9"), "--interface eth9: there is no such interface (there are lo)");
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(ok(create_veth("a" + std::to_string(i), "b" + std::to_string(i), std::nullopt)));
  }
  EXPECT_THAT(interface_names(), EndsWith(", ..."));
}

TEST(Failure, HasTheStatusOfItsKind) {
  const Said usage = said_by([] { return fail_usage("relay", "--local x\x1b: no"); });
  EXPECT_EQ(usage.status, 2);
  EXPECT_TRUE(usage.errors.starts_with("amt relay: --local x"));
  EXPECT_EQ(usage.errors.find('\x1b'), std::string::npos);
  EXPECT_EQ(fail("it went wrong"), 1);
  const Said good = said_by([] { return config_is_good("gateway"); });
  EXPECT_EQ(good.status, 0);
  EXPECT_EQ(good.output, "amt gateway: the configuration can be used\n");
}

}  // namespace
}  // namespace amt::cli_test
