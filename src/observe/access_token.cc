#include "observe/access_token.hh"

#include <sodium.h>

#include <algorithm>

namespace amt {
namespace {

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// What follows the name of a scheme, which has no case (RFC 9110 §11.1).
std::optional<std::string_view> credentials(std::string_view authorization, std::string_view scheme) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ') return std::nullopt;
  if (!std::ranges::equal(authorization.substr(0, scheme.size()), scheme, {}, lower)) return std::nullopt;
  return trimmed(authorization.substr(scheme.size()));
}

/// The password of `user:password` in base64.
std::optional<std::string> password_of(std::string_view encoded) {
  std::string text(encoded.size(), '\0');
  std::size_t octets = 0;
  // The C interface speaks of unsigned char.
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(text.data()), text.size(), encoded.data(), encoded.size(),
                        nullptr, &octets, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0) {
    return std::nullopt;
  }
  text.resize(octets);
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return text.substr(colon + 1);
}

}  // namespace

AccessTokens::Hash AccessTokens::hash_of(std::string_view token) {
  Hash hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(token.data()), token.size(),
                     nullptr, 0);
  return hash;
}

Result<AccessTokens, std::string> AccessTokens::parse(std::string_view text) {
  AccessTokens tokens;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const auto bad = [number](const std::string& why) {
      return Unexpected<std::string>("line " + std::to_string(number) + ": " + why);
    };
    if (line.size() < kOctetsMin || line.size() > kOctetsMax) {
      return bad("a token has " + std::to_string(kOctetsMin) + " to " + std::to_string(kOctetsMax) + " characters");
    }
    if (!std::ranges::all_of(line, is_token_character)) return bad("a token has letters, digits, - and _ only");
    if (tokens.hashes_.size() == kTokensMax) return bad("more than " + std::to_string(kTokensMax) + " tokens");
    tokens.hashes_.push_back(hash_of(line));
  }
  if (tokens.hashes_.empty()) return Unexpected<std::string>("has no token");
  return tokens;
}

bool AccessTokens::matches(std::string_view shown) const {
  if (shown.size() > kOctetsMax) return false;
  const Hash hash = hash_of(shown);
  bool is_known = false;
  for (const Hash& one : hashes_) is_known = sodium_memcmp(one.data(), hash.data(), hash.size()) == 0 || is_known;
  return is_known;
}

std::optional<std::string> shown_token(std::string_view query, std::string_view authorization) {
  constexpr std::string_view kToken = "token=";
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    if (one.starts_with(kToken)) return std::string(one.substr(kToken.size()));
  }
  if (const auto bearer = credentials(authorization, "bearer")) return std::string(*bearer);
  if (const auto basic = credentials(authorization, "basic")) return password_of(*basic);
  return std::nullopt;
}

}  // namespace amt
