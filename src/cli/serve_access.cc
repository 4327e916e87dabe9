#include "cli/serve_access.hh"

#include <algorithm>

#include "cli/private_file.hh"
#include "ip/reachability.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {

ServeAccess::ServeAccess(std::vector<Prefix> allowed, std::vector<std::string> origins,
                         std::optional<AccessTokens> tokens)
    : allowed_(std::move(allowed)),
      tokens_(std::move(tokens)),
      has_own_subnets_(allowed_.empty() && !tokens_),
      origins_(std::move(origins)) {
  refresh();
}

void ServeAccess::refresh() {
  if (!has_own_subnets_) return;
  const SysResult<std::vector<LinkAddress>> addresses = list_addresses();
  if (!addresses) return log_warn("the subnets of this host are not known: {}", addresses.error().to_string());
  allowed_.clear();
  for (const LinkAddress& one : *addresses) allowed_.push_back(one.address);
}

std::optional<std::string> ServeAccess::good_token(const HttpRequest& request) const {
  std::optional<std::string> token = shown_token(request.query, request.authorization);
  return tokens_ && token && tokens_->matches(*token) ? std::move(token) : std::nullopt;
}

ServeAccess::Admission ServeAccess::admit(const HttpRequest& request) const {
  if (!request.peer || request.peer->address.is_loopback()) return Admission::kAllowed;
  if (std::ranges::any_of(allowed_, [&](const Prefix& one) { return one.contains(request.peer->address); })) {
    return Admission::kAllowed;
  }
  if (!tokens_) return Admission::kNotAllowed;
  return good_token(request) ? Admission::kAllowed : Admission::kNoToken;
}

std::string ServeAccess::query_for(const HttpRequest& request) const {
  const std::optional<std::string> token = good_token(request);
  return token ? "token=" + *token : std::string();
}

bool ServeAccess::may_play(const HttpRequest& request) const {
  const auto is_allowed = [&](const std::string& one) { return one == "*" || one == request.origin; };
  if (std::ranges::any_of(origins_, is_allowed)) return true;
  // Browsers name the origin where a page reads the answer, and say "cross-site" where it only plays it.
  if (request.origin.empty()) return request.fetch_site != "cross-site";
  return !request.host.empty() &&
         (request.origin == "http://" + request.host || request.origin == "https://" + request.host);
}

std::vector<std::pair<std::string, std::string>> ServeAccess::fields_for(const HttpRequest& request) const {
  // A request without an origin does not come from a page: its answer is for every client.
  if (request.origin.empty()) return {{"Access-Control-Allow-Origin", "*"}};
  return {{"Access-Control-Allow-Origin", request.origin},
          {"Vary", "Origin"},
          {"Cross-Origin-Resource-Policy", "cross-origin"}};
}

Result<AccessTokens, std::string> read_token_file(const std::string& path) {
  const auto fail = [&path](const std::string& why) {
    return Unexpected<std::string>("--token-file " + path + ": " + why);
  };
  PrivateContent content;
  if (const Result<void, std::string> read = content.read(path); !read) return fail(read.error());
  if (content.text().size() > PrivateContent::kOctetsMax) return fail("larger than 4 KiB");
  Result<AccessTokens, std::string> tokens = AccessTokens::parse(content.text());
  if (!tokens) {
    return fail(tokens.error() + " (example: (umask 077; head -c 24 /dev/urandom | base64 | tr +/ -_ > " + path + "))");
  }
  return tokens;
}

std::optional<std::string> unguarded_listening(const ServeConfig& config) {
  const Endpoint* const place = std::get_if<Endpoint>(&config.listen);
  if (place == nullptr || config.token_file || !config.allowed.empty()) return std::nullopt;
  std::vector<IpAddress> reachable = {place->address};
  if (place->address.is_unspecified()) {
    reachable.clear();
    const SysResult<std::vector<LinkAddress>> addresses = list_addresses();
    if (!addresses) return "--listen " + place->to_string() + ": " + addresses.error().to_string();
    for (const LinkAddress& one : *addresses) {
      if (one.address.address.family() == place->address.family()) reachable.push_back(one.address.address);
    }
  }
  const auto global = std::ranges::find_if(reachable, is_globally_reachable);
  if (global == reachable.end()) return std::nullopt;
  return "--listen " + place->to_string() + ": anybody on the Internet could reach " + global->to_string() +
         " (say who may ask: --token-file FILE, or --allow PREFIX)";
}

}  // namespace amt
