#pragma once
/// Between Boost.Beast and what the handlers of an HTTP server speak.

#include <boost/beast/http.hpp>

#include "observe/http_message.hh"

namespace amt {

[[nodiscard]] HttpMethod http_method_of(boost::beast::http::verb verb);

/// What a client that does not speak HTTP as it should is told; 0: nothing, it is gone or too slow.
[[nodiscard]] unsigned http_status_of(const boost::system::error_code& error);

/// No request to anywhere else, no frame around the page, nothing kept.
void set_common_http_fields(boost::beast::http::response<boost::beast::http::string_body>& response);

}  // namespace amt
