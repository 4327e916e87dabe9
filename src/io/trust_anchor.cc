#include "io/trust_anchor.hh"

#include <array>
#include <filesystem>
#include <fstream>

namespace amt {
namespace {

/// Where distributions keep the root's keys: dns-root-data, unbound-anchor.
constexpr std::array kRootAnchorFiles{"/usr/share/dns/root.key", "/var/lib/unbound/root.key", "/etc/unbound/root.key"};

}  // namespace

std::optional<std::string> root_anchor_file() {
  std::error_code ignored;
  for (const char* path : kRootAnchorFiles) {
    if (std::filesystem::is_regular_file(path, ignored)) return path;
  }
  return std::nullopt;
}

std::string anchor_name(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  for (std::string line; std::getline(file, line);) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == ';') continue;
    return line.substr(begin, line.find_first_of(" \t", begin) - begin);
  }
  return ".";
}

}  // namespace amt
