#pragma once
/// Access control of `amt serve`.

#include <optional>
#include <string>
#include <vector>

#include "config/config.hh"
#include "ip/address.hh"
#include "observe/access_token.hh"
#include "observe/http_message.hh"

namespace amt {

/// A client's address or token, and the page in a browser on whose behalf it asks.
class ServeAccess {
 public:
  /// `allowed`: empty: with a token nobody else, without one the subnets that this host has addresses in. `origins`: of
  /// pages, or `*`.
  ServeAccess(std::vector<Prefix> allowed, std::vector<std::string> origins, std::optional<AccessTokens> tokens);

  enum class Admission : std::uint8_t { kAllowed, kNoToken, kNotAllowed };
  /// Clients of this host always may, and clients over a UNIX socket, which has its own permissions.
  [[nodiscard]] Admission admit(const HttpRequest& request) const;
  /// Is it this server's own page that asks, no page at all, or one that was allowed? Any other page could use the
  /// browser of a client that may connect.
  [[nodiscard]] bool may_play(const HttpRequest& request) const;
  /// The header fields that let such a page read the answer (CORS).
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> fields_for(const HttpRequest& request) const;
  /// What a URL of this server takes behind its `?` to be answered as this request is; empty: nothing.
  [[nodiscard]] std::string query_for(const HttpRequest& request) const;
  /// Subnets may have come and gone.
  void refresh();
  void set_tokens(AccessTokens tokens) { tokens_ = std::move(tokens); }

 private:
  [[nodiscard]] std::optional<std::string> good_token(const HttpRequest& request) const;

  std::vector<Prefix> allowed_;
  std::optional<AccessTokens> tokens_;
  bool has_own_subnets_;
  std::vector<std::string> origins_;
};

/// `--token-file`. Error: one line for the user, without a token in it.
[[nodiscard]] Result<AccessTokens, std::string> read_token_file(const std::string& path);

/// Anybody on the Internet could reach where this would listen, and neither a token nor a list of addresses says who
/// may ask: what is wrong, for the user.
[[nodiscard]] std::optional<std::string> unguarded_listening(const ServeConfig& config);

}  // namespace amt
