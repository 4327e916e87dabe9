#pragma once
/// Host names, by the means that this host is set up with (/etc/hosts, DNS).

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amt/ip_address.hh"
#include "amt/result.hh"

namespace amt {

struct HostLookupProblem {
  /// In words, without the name.
  std::string text;
  /// No resolver answers, or none is reachable: after a boot that passes.
  bool may_pass = false;
};
/// Never an empty list.
using HostAddresses = Result<std::vector<IpAddress>, HostLookupProblem>;

/// All addresses of `name`, of the families that this host has, the best first (RFC 6724). Waits for the answer.
[[nodiscard]] HostAddresses look_up_host(const std::string& name);

/// The same while other things happen, on a thread of the C library's.
class HostLookup {
 public:
  explicit HostLookup(const std::string& name);
  /// Does not wait: look-ups under way end by themselves.
  ~HostLookup();
  HostLookup(const HostLookup&) = delete;
  HostLookup& operator=(const HostLookup&) = delete;

  /// Nothing: not answered yet.
  [[nodiscard]] std::optional<HostAddresses> poll() const;

 private:
  struct Request;
  std::unique_ptr<Request> request_;
};

}  // namespace amt
