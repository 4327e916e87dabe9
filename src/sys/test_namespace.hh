#pragma once
/// For tests that need a network of their own: a fresh network namespace per test, as root or as an ordinary user.

#include <gtest/gtest.h>
#include <sched.h>

#include "sys/namespace.hh"
#include "sys/netlink.hh"

namespace amt {

/// Lets EXPECT_TRUE say what went wrong.
template <typename T>
::testing::AssertionResult ok(const SysResult<T>& result) {
  if (result) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << result.error().to_string();
}

/// Skips, with the reason, where the system forbids namespaces.
class InTestNamespace : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::unshare(CLONE_NEWNET) != 0) {
      if (const SysResult<void> entered = enter_user_namespace(); !entered) {
        GTEST_SKIP() << "no namespaces here: " << entered.error().to_string();
      }
    }
    ASSERT_TRUE(ok(set_link_up(find_link("lo")->index)));
  }
};

}  // namespace amt
