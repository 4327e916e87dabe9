#include "observe/http_message.hh"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "amt/endpoint.hh"

namespace amt {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// Without the port. Nothing: the text after the colon is no port.
std::optional<std::string_view> without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.ends_with(']')) return host;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!std::ranges::all_of(host.substr(colon + 1), is_digit)) return std::nullopt;
  return host.substr(0, colon);
}

}  // namespace

HttpAnswer http_error(unsigned status, std::string_view why) {
  const boost::json::value text = {{"error", boost::json::string_view(why.data(), why.size())}};
  return {.status = status, .body = std::make_unique<WholeStatus>(boost::json::serialize(text))};
}

HttpAnswer http_text(std::string content_type, std::string text) {
  return {.content_type = std::move(content_type), .body = std::make_unique<WholeStatus>(std::move(text))};
}

HttpRoutes::Route& HttpRoutes::route(std::string path) {
  const auto found = std::ranges::find(routes_, path, &Route::path);
  return found != routes_.end() ? *found : routes_.emplace_back(Route{.path = std::move(path)});
}

HttpAnswer http_switch(std::function<void(UniqueFd socket)> take_socket) {
  return {.status = kHttpSwitchingProtocols, .take_socket = std::move(take_socket)};
}

void HttpRoutes::get(std::string path, HttpHandler handler) { route(std::move(path)).get = std::move(handler); }
void HttpRoutes::post(std::string path, HttpHandler handler) { route(std::move(path)).post = std::move(handler); }

void HttpRoutes::command(std::string path, HttpCommand command) {
  post(std::move(path), [command = std::move(command)](const HttpRequest& request, const HttpRespond& respond) {
    Result<std::string, std::string> done = command(request.query);
    respond(done ? http_text("application/json", std::move(*done)) : http_error(400, done.error()));
  });
}

void HttpRoutes::get_below(std::string folder, HttpHandler handler) {
  folders_.push_back({.path = std::move(folder), .get = std::move(handler)});
}

const HttpRoutes::Route* HttpRoutes::find(std::string_view path) const {
  const auto found = std::ranges::find(routes_, path, &Route::path);
  if (found != routes_.end()) return &*found;
  const auto folder = std::ranges::find_if(folders_, [path](const Route& one) { return path.starts_with(one.path); });
  return folder != folders_.end() ? &*folder : nullptr;
}

void HttpRoutes::answer(const HttpRequest& request, HttpRespond respond) const {
  const Route* const found = find(request.path);
  if (found == nullptr) {
    std::string paths;
    for (const Route& one : routes_) paths += (paths.empty() ? "" : ", ") + one.path;
    for (const Route& one : folders_) paths += (paths.empty() ? "" : ", ") + one.path + "...";
    return respond(http_error(404, "no such path; there are " + paths));
  }
  const bool reads = request.method == HttpMethod::kGet || request.method == HttpMethod::kHead;
  const HttpHandler none;
  const HttpHandler& handler = reads ? found->get : request.method == HttpMethod::kPost ? found->post : none;
  if (handler) return handler(request, std::move(respond));
  std::string allow = found->get ? "GET, HEAD" : "";
  if (found->post) allow += allow.empty() ? "POST" : ", POST";
  HttpAnswer refusal = http_error(405, request.path + " takes " + allow);
  refusal.allow = allow;
  respond(std::move(refusal));
}

std::optional<HttpTarget> parse_http_target(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  HttpTarget out;
  if (target.size() >= kScheme.size() && equal_ignoring_case(target.substr(0, kScheme.size()), kScheme)) {
    target.remove_prefix(kScheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    out.authority = target.substr(0, end);
    target.remove_prefix(end);
    if (!target.starts_with('/')) {
      out.path = "/";
      out.query = target.substr(std::min<std::size_t>(1, target.size()));
      return out;
    }
  }
  if (!target.starts_with('/')) return std::nullopt;
  const std::size_t mark = std::min(target.find('?'), target.size());
  out.path = target.substr(0, mark);
  out.query = target.substr(std::min(mark + 1, target.size()));
  return out;
}

bool is_http_host_allowed(std::string_view host, const std::vector<std::string>& names) {
  const std::optional<std::string_view> name = without_port(host);
  if (!name || name->empty()) return false;
  if (name->starts_with('[')) return name->ends_with(']') && IpAddress::parse(name->substr(1, name->size() - 2));
  const std::optional<IpAddress> address = IpAddress::parse(*name);
  if (address) return address->is_v4();
  return equal_ignoring_case(*name, "localhost") ||
         std::ranges::any_of(names, [&](const std::string& one) { return equal_ignoring_case(*name, one); });
}

}  // namespace amt
