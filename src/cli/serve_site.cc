#include "cli/serve_site.hh"

namespace amt {
namespace {

/// The key under which the channel of a request is received.
ChannelKey channel_key(const ChannelUrl& url, std::uint16_t relay_port) {
  ChannelKey key{.channel = url.channel, .port = *url.port};
  if (!url.relay) return key;
  if (const auto* const address = std::get_if<IpAddress>(&url.relay->host)) {
    key.relay = Endpoint{*address, url.relay->port != 0 ? url.relay->port : relay_port};
  }
  return key;
}

}  // namespace

HttpAnswer refuse(std::uint64_t& count, unsigned status, std::string_view why) {
  ++count;
  return http_error(status, why);
}

HttpAnswer refusal_of(const StreamService::Refused& refused) {
  return http_error(refused.reason == StreamRefusal::kReceiver ? http_status::kBadGateway : http_status::kUnavailable,
                    refused.text);
}

Result<ChannelKey, HttpAnswer> key_of(ServeSite& site, const ChannelPath& path) {
  if (path.url.relay && !site.allow_relay_parameter) {
    return Unexpected<HttpAnswer>(refuse(site.refusals.not_allowed, http_status::kForbidden,
                                         "?relay= is not taken here; see amt serve --allow-relay-parameter"));
  }
  return channel_key(path.url, site.relay_port);
}

HttpAnswer stream_header(const ServeSite& site, const HttpRequest& request) {
  HttpAnswer answer = http_text("video/mp2t", "");
  answer.fields = site.access.fields_for(request);
  return answer;
}

}  // namespace amt
