#pragma once
/// This host's /etc/resolv.conf, read as the C library reads it (resolv.conf(5)).

#include <string>
#include <vector>

namespace amt {

struct ResolverFile {
  /// At most three; a link-local IPv6 address has its interface, `fe80::1%eth0`.
  std::vector<std::string> name_servers;
  /// `options use-vc`: ask by TCP.
  bool uses_tcp = false;
  /// `search` or `domain`, else the domain of the host's name: without dots at the end, at most six.
  std::vector<std::string> search_domains;
};

/// Empty: it cannot be known. Without a file the C library asks 127.0.0.1.
[[nodiscard]] ResolverFile read_resolver_file();

}  // namespace amt
