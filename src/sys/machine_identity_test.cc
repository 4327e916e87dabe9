#include "sys/machine_identity.hh"

#include <gtest/gtest.h>

#include "sys/lasting_port.hh"

namespace amt {
namespace {

TEST(MachineIdentity, IsTheSameEachTime) {
  const std::optional<std::string> first = machine_identity();
  EXPECT_EQ(machine_identity(), first);
  EXPECT_EQ(lasting_port("a purpose"), lasting_port("a purpose"));
  if (first) {
    EXPECT_NE(lasting_port("a purpose"), lasting_port("another purpose"));
  }
}

}  // namespace
}  // namespace amt
