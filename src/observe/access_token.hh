#pragma once
/// Tokens by which clients of an HTTP server show that they may ask.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amt/result.hh"

namespace amt {

/// The tokens of a file, as hashes: they can be compared, and read by nobody who sees this process's memory.
class AccessTokens {
 public:
  static constexpr std::size_t kOctetsMin = 16;
  static constexpr std::size_t kOctetsMax = 256;
  static constexpr std::size_t kTokensMax = 64;

  /// One token a line, of letters, digits, `-` and `_`, so that it stands in URLs as it is. Lines that are empty or
  /// begin with `#` say nothing. Error: what is wrong, without a token in it.
  static Result<AccessTokens, std::string> parse(std::string_view text);

  /// Takes as long whatever `shown` is, but for its length: nobody learns a token by trying.
  [[nodiscard]] bool matches(std::string_view shown) const;

 private:
  static constexpr std::size_t kHashOctets = 32;
  using Hash = std::array<unsigned char, kHashOctets>;
  [[nodiscard]] static Hash hash_of(std::string_view token);

  std::vector<Hash> hashes_;
};

/// The token of a request: `token=` of the query, or of the field Authorization a bearer token (RFC 6750) or the
/// password of the basic scheme (RFC 7617), which players take from `http://user:TOKEN@host/`. The query goes first.
[[nodiscard]] std::optional<std::string> shown_token(std::string_view query, std::string_view authorization);

}  // namespace amt
