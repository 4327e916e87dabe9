#include "cli/serve_routes.hh"

#include "cli/serve_hls.hh"
#include "observe/page.hh"
#include "sys/clock.hh"
#include "sys/log_limiter.hh"

namespace amt {
namespace {

/// Is it an address, or somebody with the token, that may watch?
std::optional<HttpAnswer> objection_to_client(ServeSite& site, const HttpRequest& request) {
  const ServeAccess::Admission admission = site.access.admit(request);
  if (admission == ServeAccess::Admission::kAllowed) return std::nullopt;
  const std::string client = request.peer->address.to_string();
  if (admission == ServeAccess::Admission::kNotAllowed) {
    log_warn_limited("serve-address", "{} asked, and may not watch (--allow PREFIX)", client);
    return refuse(site.refusals.not_allowed, http_status::kForbidden,
                  "this address may not watch; see amt serve --allow");
  }
  log_warn_limited("serve-token", "{} asked without a token of --token-file", client);
  HttpAnswer answer = refuse(site.refusals.no_token, http_status::kUnauthorized,
                             "the token is missing or wrong: ?token=TOKEN, or as the password of any user");
  // Browsers ask their user for the password.
  answer.fields = {{"WWW-Authenticate", R"(Basic realm="amt serve", charset="UTF-8")"}};
  return answer;
}

/// What is wrong whatever is asked for.
std::optional<HttpAnswer> objection(ServeSite& site, const HttpRequest& request) {
  if (std::optional<HttpAnswer> refusal = objection_to_client(site, request)) return refusal;
  if (!site.access.may_play(request)) {
    return refuse(site.refusals.foreign_page, http_status::kForbidden,
                  "a page of another site asks; see amt serve --allow-origin");
  }
  return std::nullopt;
}

/// `handler` behind those checks.
HttpHandler guarded(ServeSite& site, HttpHandler handler) {
  return [&site, handler = std::move(handler)](const HttpRequest& request, HttpRespond respond) {
    if (std::optional<HttpAnswer> refusal = objection(site, request)) return respond(std::move(*refusal));
    handler(request, std::move(respond));
  };
}

void serve_stream(ServeSite& site, const HttpRequest& request, std::string_view rest, const HttpRespond& respond) {
  const ValueResult<ChannelPath> path = parse_channel_path(rest, request.query);
  if (!path) return respond(refuse(site.refusals.bad_path, http_status::kBadRequest, path.error().problem));
  if (!path->file.empty()) {
    return respond(refuse(site.refusals.not_found, http_status::kNotFound, "nothing follows the port of a channel"));
  }
  Result<ChannelKey, HttpAnswer> key = key_of(site, *path);
  if (!key) return respond(std::move(key.error()));
  // Players ask what it is before they ask for it.
  if (request.method == HttpMethod::kHead) return respond(stream_header(site, request));
  const Result<ServedChannel*, StreamService::Refused> channel = site.service.open(*key);
  if (!channel) return respond(refusal_of(channel.error()));
  const std::string name = request.peer ? request.peer->to_string() : "a local program";
  (*channel)->await_start(
      kServeStartWait, [&site, request, respond, key = *key, name](const std::optional<std::string>& why_not) {
        if (why_not) return respond(refuse(site.refusals.nothing_came, http_status::kGatewayTimeout, *why_not));
        HttpAnswer answer = stream_header(site, request);
        answer.take_socket = [&site, key, name](UniqueFd connection) {
          if (ServedChannel* const running = site.service.find(key)) running->add_viewer(std::move(connection), name);
        };
        respond(std::move(answer));
      });
}

void add_streams(HttpRoutes& routes, ServeSite& site) {
  for (const std::string folder : {"/amt/", "/udp/", "/rtp/"}) {
    routes.get_below(
        folder, guarded(site, [&site, octets = folder.size()](const HttpRequest& request, const HttpRespond& respond) {
          serve_stream(site, request, std::string_view(request.path).substr(octets), respond);
        }));
  }
  routes.get_below("/hls/", guarded(site, [&site](const HttpRequest& request, const HttpRespond& respond) {
                     serve_hls(site, request, std::string_view(request.path).substr(std::string_view("/hls/").size()),
                               respond);
                   }));
}

ListBase list_base(const ServeSite& site, const HttpRequest& request) {
  return {.url = "http://" + (request.host.empty() ? site.own_host : request.host),
          .query = site.access.query_for(request)};
}

void add_list(HttpRoutes& routes, ServeSite& site, const std::string& path, const std::string& type,
              std::string (Playlist::*write)(const ListBase&) const) {
  routes.get(path, guarded(site, [&site, type, write](const HttpRequest& request, const HttpRespond& respond) {
               HttpAnswer answer = http_text(type, (site.lists.current().*write)(list_base(site, request)));
               answer.fields = site.access.fields_for(request);
               respond(std::move(answer));
             }));
}

/// mpegts.js hands the video what it has put together as a blob.
constexpr const char* kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self' "
    "blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::vector<ListedChannel> listed_channels(const Playlist& playlist) {
  std::vector<ListedChannel> out;
  for (const PlaylistEntry& entry : playlist.entries) {
    const ChannelUrl* const channel = entry.channel();
    if (channel == nullptr) continue;
    out.push_back({entry.path(), entry.name, std::string(entry.attribute("group-title"))});
  }
  return out;
}

ServeStatus status_of(const ServeSite& site, Instant now) {
  return {.uptime = now - site.started,
          .service = &site.service,
          .list_entries = site.lists.listed(),
          .announced = site.lists.announced(),
          .refusals = site.refusals};
}

void add_observation(HttpRoutes& routes, ServeSite& site) {
  for (const char* const path : {"/status", "/status.json"}) {
    routes.get(path, guarded(site, [&site](const HttpRequest&, const HttpRespond& respond) {
                 const Instant now = monotonic_now();
                 respond(http_text("application/json", serve_status_json(status_of(site, now), now)));
               }));
  }
  routes.get("/metrics", guarded(site, [&site](const HttpRequest& request, const HttpRespond& respond) {
               const Instant now = monotonic_now();
               const MetricsFormat format = metrics_format(request.accept);
               respond(http_text(content_type(format), serve_metrics(status_of(site, now), now, format)));
             }));
  for (const char* const path : {"/healthz", "/readyz"}) {
    routes.get(path, [](const HttpRequest&, const HttpRespond& respond) {
      respond(http_text("application/json", R"({"status":"ok"})"));
    });
  }
}

/// Links to it from other sites are harmless: what it then asks for comes from itself.
void add_page(HttpRoutes& routes, ServeSite& site) {
  for (const PageFile& file : serve_page_files()) {
    routes.get(std::string(file.path), [&site, &file](const HttpRequest& request, const HttpRespond& respond) {
      if (std::optional<HttpAnswer> refusal = objection_to_client(site, request)) return respond(std::move(*refusal));
      HttpAnswer answer = http_text(std::string(file.content_type), std::string(file.text));
      answer.fields = {{"Content-Security-Policy", kPagePolicy}};
      respond(std::move(answer));
    });
  }
  routes.get("/channels.json", guarded(site, [&site](const HttpRequest&, const HttpRespond& respond) {
               const Instant now = monotonic_now();
               respond(http_text("application/json", serve_channels_json(status_of(site, now),
                                                                         listed_channels(site.lists.current()), now)));
             }));
}

}  // namespace

HttpRoutes make_serve_routes(ServeSite& site) {
  HttpRoutes routes;
  add_streams(routes, site);
  add_list(routes, site, "/playlist.m3u", "audio/x-mpegurl; charset=utf-8", &Playlist::text);
  add_list(routes, site, "/playlist.xspf", "application/xspf+xml; charset=utf-8", &Playlist::xspf);
  add_observation(routes, site);
  add_page(routes, site);
  return routes;
}

}  // namespace amt
