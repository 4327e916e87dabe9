#include "sys/machine_identity.hh"

#include <algorithm>
#include <fstream>

#include "sys/netlink.hh"

namespace amt {
namespace {

std::optional<std::string> first_line(const char* path) {
  std::ifstream file(path);
  std::string text;
  // systemd writes "uninitialized" into the machine-id of an image that has not booted yet.
  if (!std::getline(file, text) || text.empty() || text == "uninitialized") return std::nullopt;
  return text;
}

std::optional<std::string> first_hardware_address() {
  SysResult<std::vector<LinkInfo>> links = list_links();
  if (!links) return std::nullopt;
  std::ranges::sort(*links, {}, &LinkInfo::index);
  for (const LinkInfo& link : *links) {
    if (link.ethernet && !link.hardware_address.empty()) return link.hardware_address;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> machine_identity() {
  for (const char* const path : {"/etc/machine-id", "/sys/class/dmi/id/product_uuid"}) {
    if (std::optional<std::string> text = first_line(path)) return text;
  }
  return first_hardware_address();
}

}  // namespace amt
