#include "observe/http_wire.hh"

namespace amt {

namespace http = boost::beast::http;

HttpMethod http_method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return HttpMethod::kGet;
    case http::verb::head:
      return HttpMethod::kHead;
    case http::verb::post:
      return HttpMethod::kPost;
    default:
      return HttpMethod::kOther;
  }
}

unsigned http_status_of(const boost::system::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  if (error == http::error::body_limit) return 413;
  const bool is_syntax = error.category() == http::make_error_code(http::error::bad_method).category();
  if (!is_syntax || error == http::error::end_of_stream || error == http::error::partial_message) return 0;
  return 400;
}

void set_common_http_fields(http::response<http::string_body>& response) {
  response.set(http::field::server, "amt");
  response.set(http::field::cache_control, "no-store");
  response.set("Content-Security-Policy",
               "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
               "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
}

}  // namespace amt
