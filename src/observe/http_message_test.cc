#include "observe/http_message.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

std::string collect(HttpAnswer answer) {
  std::string out;
  answer.body->next([&out](std::string piece) { out += piece; });
  return out;
}

TEST(HttpMessage, TakesTargetsApart) {
  EXPECT_EQ(parse_http_target("/metrics")->path, "/metrics");
  EXPECT_EQ(parse_http_target("/status.json?a=1&b=2")->query, "a=1&b=2");
  EXPECT_EQ(parse_http_target("/status.json?a=1?")->query, "a=1?");
  const auto whole = parse_http_target("HTTP://example.net:80/x?y");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->authority, "example.net:80");
  EXPECT_EQ(whole->path, "/x");
  EXPECT_EQ(whole->query, "y");
  EXPECT_EQ(parse_http_target("http://example.net")->path, "/");
  EXPECT_EQ(parse_http_target("http://example.net?q")->query, "q");
  for (const char* const wrong : {"", "*", "metrics", "example.net:80", "https://example.net/"}) {
    EXPECT_FALSE(parse_http_target(wrong)) << wrong;
  }
}

// DNS rebinding: a foreign page names the foreign site, whatever that resolves to.
TEST(HttpMessage, AnswersToAddressesAndOwnNamesOnly) {
  for (const char* const own : {"127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080", "192.0.2.1:80", "localhost",
                                "LocalHost:8080", "relay.example.net", "Relay.Example.NET:443"}) {
    EXPECT_TRUE(is_http_host_allowed(own, {"relay.example.net"})) << own;
  }
  for (const char* const foreign : {"", ":80", "evil.example", "evil.example:8080", "localhost.evil.example",
                                    "127.0.0.1.evil.example", "::1", "[::1", "[evil]", "127.0.0.1:80x", "relay", "1"}) {
    EXPECT_FALSE(is_http_host_allowed(foreign, {"relay.example.net"})) << foreign;
  }
}

TEST(HttpMessage, RoutesByPathAndMethod) {
  HttpRoutes routes;
  routes.get("/a", [](const HttpRequest&, const HttpRespond& respond) { respond(http_text("text/plain", "got")); });
  routes.post("/b", [](const HttpRequest&, const HttpRespond& respond) { respond(http_text("text/plain", "done")); });
  const auto ask = [&](HttpMethod method, const char* path) {
    HttpAnswer out;
    routes.answer({.method = method, .path = path}, [&out](HttpAnswer answer) { out = std::move(answer); });
    return out;
  };
  EXPECT_EQ(collect(ask(HttpMethod::kGet, "/a")), "got");
  EXPECT_EQ(ask(HttpMethod::kHead, "/a").status, 200U);
  EXPECT_EQ(collect(ask(HttpMethod::kPost, "/b")), "done");
  EXPECT_EQ(collect(ask(HttpMethod::kGet, "/c")), R"({"error":"no such path; there are /a, /b"})");
  EXPECT_EQ(ask(HttpMethod::kPost, "/a").status, 405U);
  EXPECT_EQ(ask(HttpMethod::kPost, "/a").allow, "GET, HEAD");
  EXPECT_EQ(ask(HttpMethod::kGet, "/b").allow, "POST");
  EXPECT_EQ(ask(HttpMethod::kOther, "/b").status, 405U);
}

}  // namespace
}  // namespace amt
