#include "cli/failure.hh"

#include <cstdio>

#include "base/printable.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {

int fail(std::string_view message) {
  log_error("{}", message);
  return 1;
}

int fail_usage(std::string_view subcommand, std::string_view message) {
  fmt::print(stderr, "amt {}: {}\n", subcommand, printable(message));
  return 2;
}

std::string no_such_interface(std::string_view option, std::string_view name) {
  constexpr std::size_t kShownMax = 8;
  std::string present;
  if (const SysResult<std::vector<LinkInfo>> links = list_links()) {
    for (std::size_t i = 0; i < links->size() && i < kShownMax; ++i) present += (i == 0 ? "" : ", ") + (*links)[i].name;
    if (links->size() > kShownMax) present += ", ...";
  }
  return fmt::format("{} {}: there is no such interface{}", option, name,
                     present.empty() ? "" : " (there are " + present + ")");
}

}  // namespace amt
