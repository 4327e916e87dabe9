#include "observe/http_views.hh"

#include <charconv>

#include "observe/page.hh"

namespace amt {
namespace {

constexpr unsigned kServiceUnavailable = 503;

/// `span=hour|day&after=N`
struct HistoryQuery {
  History::Span span = History::Span::kHour;
  std::uint64_t after = 0;
};

std::optional<HistoryQuery> parse_history_query(std::string_view text) {
  HistoryQuery query;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    constexpr std::string_view kAfter = "after=";
    if (one == "span=hour") {
      query.span = History::Span::kHour;
    } else if (one == "span=day") {
      query.span = History::Span::kDay;
    } else if (one.starts_with(kAfter)) {
      const char* const end = one.data() + one.size();
      const auto [stop, error] = std::from_chars(one.data() + kAfter.size(), end, query.after);
      if (error != std::errc() || stop != end) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return query;
}

HttpAnswer health_answer(const HealthReport& report) {
  HttpAnswer answer = http_text("application/json", report.json());
  if (!report.is_healthy()) answer.status = kServiceUnavailable;
  return answer;
}

void add_health(HttpRoutes& routes, const HttpViews& views) {
  routes.get("/healthz", [views](const HttpRequest&, const HttpRespond& respond) {
    views.health([respond](const HealthReport& report) { respond(health_answer(report)); });
  });
  routes.get("/readyz", [views](const HttpRequest&, const HttpRespond& respond) {
    // A gateway that is about to be sent away is not probed.
    if (const std::optional<std::string> why = views.not_ready()) {
      return respond(health_answer({.checks = {{.name = "ready", .ok = false, .detail = *why}}}));
    }
    views.health([respond](const HealthReport& report) { respond(health_answer(report)); });
  });
}

}  // namespace

HttpRoutes make_http_routes(const HttpViews& views) {
  HttpRoutes routes;
  for (const PageFile& file : page_files()) {
    routes.get(std::string(file.path), [&file](const HttpRequest&, const HttpRespond& respond) {
      respond(http_text(std::string(file.content_type), std::string(file.text)));
    });
  }
  // Earlier versions of `amt status` ask for `/status`.
  for (const char* const path : {"/status.json", "/status"}) {
    routes.get(path, [views](const HttpRequest& request, const HttpRespond& respond) {
      const Result<StatusQuery, std::string> query = StatusQuery::parse(request.query);
      if (!query) return respond(http_error(400, query.error()));
      Result<std::unique_ptr<StatusStream>, std::string> stream = views.status(*query);
      if (!stream) return respond(http_error(400, stream.error()));
      respond({.body = std::move(*stream)});
    });
  }
  routes.get("/history.json", [views](const HttpRequest& request, const HttpRespond& respond) {
    const std::optional<HistoryQuery> query = parse_history_query(request.query);
    if (!query) return respond(http_error(400, "span is hour or day, after a number"));
    respond(http_text("application/json", views.history(query->span, query->after)));
  });
  routes.get("/metrics", [views](const HttpRequest& request, const HttpRespond& respond) {
    const MetricsFormat format = metrics_format(request.accept);
    views.metrics(format,
                  [respond, format](std::string text) { respond(http_text(content_type(format), std::move(text))); });
  });
  add_health(routes, views);
  return routes;
}

}  // namespace amt
