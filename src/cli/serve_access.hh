#pragma once
/// Who may ask `amt serve` for something.

#include <optional>
#include <string>
#include <vector>

#include "ip/address.hh"
#include "observe/http_message.hh"

namespace amt {

/// A client's address, and the page in a browser on whose behalf it asks.
class ServeAccess {
 public:
  /// `allowed`: empty: the subnets that this host has addresses in. `origins`: of pages, or `*`.
  ServeAccess(std::vector<Prefix> allowed, std::vector<std::string> origins);

  /// This host itself always may, and whoever comes over a UNIX socket, which has its own permissions.
  [[nodiscard]] bool may_connect(const std::optional<Endpoint>& peer) const;
  /// Is it this server's own page that asks, no page at all, or one that was allowed? Any other page could use the
  /// browser of one who may connect.
  [[nodiscard]] bool may_play(const HttpRequest& request) const;
  /// The header fields that let such a page read the answer (CORS).
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> fields_for(const HttpRequest& request) const;
  /// Subnets may have come and gone.
  void refresh();

 private:
  std::vector<Prefix> allowed_;
  bool has_own_subnets_;
  std::vector<std::string> origins_;
};

}  // namespace amt
