#include "cli/failure.hh"

#include <cstdio>

#include "base/printable.hh"
#include "cli/explain.hh"
#include "sys/log.hh"

namespace amt {

int fail(std::string_view message) {
  log_error("{}", message);
  return 1;
}

int fail_usage(std::string_view subcommand, std::string_view message) {
  fmt::print(stderr, "amt {}: {}\n", subcommand, printable(message));
  return 2;
}

int config_is_good(std::string_view subcommand) {
  fmt::print("amt {}: the configuration can be used\n", subcommand);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

std::string no_such_interface(std::string_view option, std::string_view name) {
  const std::string present = interface_names();
  return fmt::format("{} {}: there is no such interface{}", option, name,
                     present.empty() ? "" : " (there are " + present + ")");
}

}  // namespace amt
