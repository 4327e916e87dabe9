#pragma once
/// What the handlers of `amt serve` have in common.

#include <string>
#include <string_view>

#include "cli/serve_access.hh"
#include "cli/serve_lists.hh"
#include "config/channel_path.hh"
#include "engine/serve/stream_service.hh"
#include "observe/http_message.hh"
#include "observe/serve_status.hh"

namespace amt {

namespace http_status {
inline constexpr unsigned kBadRequest = 400;
inline constexpr unsigned kUnauthorized = 401;
inline constexpr unsigned kForbidden = 403;
inline constexpr unsigned kNotFound = 404;
inline constexpr unsigned kBadGateway = 502;
inline constexpr unsigned kUnavailable = 503;
inline constexpr unsigned kGatewayTimeout = 504;
}  // namespace http_status

/// Lives on the loop's thread, as long as the server.
struct ServeSite {
  StreamService& service;
  ServeLists& lists;
  ServeAccess access;
  bool allow_relay_parameter = false;
  std::uint16_t relay_port = kAmtPort;
  std::string own_host{};  ///< for clients that name none (HTTP/1.0)
  Instant started{};
  ServeRefusals refusals{};
};

/// How long a request waits for its channel to begin.
inline constexpr Duration kServeStartWait = std::chrono::seconds(10);

/// Counts a refusal, and words it.
[[nodiscard]] HttpAnswer refuse(std::uint64_t& count, unsigned status, std::string_view why);
[[nodiscard]] HttpAnswer refusal_of(const StreamService::Refused& refused);

/// The channel that a path names. Error: the answer that says what is wrong.
[[nodiscard]] Result<ChannelKey, HttpAnswer> key_of(ServeSite& site, const ChannelPath& path);

/// The header of MPEG-TS, without a body.
[[nodiscard]] HttpAnswer stream_header(const ServeSite& site, const HttpRequest& request);

}  // namespace amt
