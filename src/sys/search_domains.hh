#pragma once
/// The domains that this host looks names up in.

#include <string>
#include <vector>

namespace amt {

/// `search` or `domain` of /etc/resolv.conf, else the domain of the host's name, as the C library has them
/// (resolv.conf(5)): without dots at the end, at most six. Empty: none, or it cannot be known.
[[nodiscard]] std::vector<std::string> search_domains();

}  // namespace amt
