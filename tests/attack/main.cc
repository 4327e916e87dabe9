/// The attacker of tests/attack, and those who are attacked:  amt_attack membership|flood|icmp|watch|newcomers
/// NAME=VALUE...

#include <unistd.h>

#include "attacks.hh"

namespace {

/// Nothing outlives a test by more than this.
constexpr unsigned kSecondsMax = 300;

}  // namespace

int main(int count, char** words) {
  using namespace amt::attack;
  if (count < 2) fail("usage", "amt_attack MODE NAME=VALUE...");
  ::alarm(kSecondsMax);
  const std::string_view mode = words[1];
  const Options options(count - 2, words + 2);
  if (mode == "membership") return run_membership(options);
  if (mode == "flood") return run_flood(options);
  if (mode == "icmp") return run_icmp(options);
  if (mode == "watch") return run_watch(options);
  if (mode == "newcomers") return run_newcomers(options);
  fail("no such mode", mode);
}
