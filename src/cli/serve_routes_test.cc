#include "cli/serve_routes.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>

#include "engine/serve/serve_test_support.hh"

namespace amt::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPath = "/amt/198.51.100.1@232.1.1.1:5001";
constexpr const char* kHlsFolder = "/hls/198.51.100.1@232.1.1.1:5001/";

class ServeRoutesTest : public WithService {
 protected:
  ServeRoutesTest() {
    create();
    site_.emplace(ServeSite{.service = *service,
                            .lists = lists_,
                            .access = ServeAccess({*Prefix::parse("192.0.2.0/24")}, {}, std::nullopt)});
    site_->own_host = "127.0.0.1:4022";
    routes_ = make_serve_routes(*site_);
  }

  /// What is answered at once.
  void ask(HttpRequest request) {
    answer_.reset();
    routes_.answer(request, [this](HttpAnswer answer) { answer_ = std::move(answer); });
  }
  void get(const std::string& path, const std::string& query = "") { ask({.path = path, .query = query}); }
  [[nodiscard]] unsigned status() const { return answer_ ? answer_->status : 0; }
  [[nodiscard]] std::string body() {
    std::string out;
    for (bool more = answer_ && answer_->body; more;) {
      std::string piece;
      answer_->body->next([&](std::string text) { piece = std::move(text); });
      out += piece;
      more = !piece.empty();
    }
    return out;
  }
  [[nodiscard]] std::string field(std::string_view name) const {
    for (const auto& [key, value] : answer_->fields) {
      if (key == name) return value;
    }
    return "";
  }

  ServeConfig config_;
  ServeLists lists_{loop, config_};
  std::optional<ServeSite> site_;
  HttpRoutes routes_;
  std::optional<HttpAnswer> answer_;
};

TEST_F(ServeRoutesTest, AStreamIsAnsweredWhenItCanBegin) {
  get(kPath);
  EXPECT_EQ(status(), 0U);
  ASSERT_TRUE(is_joined());
  send(tables());
  send(key_frame(1, 0));
  ASSERT_TRUE(run_until(loop, [&] { return answer_.has_value(); }));
  EXPECT_EQ(status(), 200U);
  EXPECT_EQ(answer_->content_type, "video/mp2t");
  EXPECT_EQ(field("Access-Control-Allow-Origin"), "*");
  Connection connection;
  answer_->take_socket(std::move(connection.theirs));
  Octets expected = tables();
  append(expected, key_frame(1, 0));
  EXPECT_EQ(connection.read(), expected);
}

TEST_F(ServeRoutesTest, TheQuestionWhatItIsBeginsNoChannel) {
  ask({.method = HttpMethod::kHead, .path = kPath});
  EXPECT_EQ(status(), 200U);
  EXPECT_EQ(answer_->content_type, "video/mp2t");
  EXPECT_EQ(service->channel_count(), 0U);
}

TEST_F(ServeRoutesTest, WhoeverMayNotConnectGetsNothing) {
  for (const std::string path : {kPath, "/playlist.m3u", "/status", "/metrics", "/channels.json", "/"}) {
    ask({.path = path, .peer = endpoint("203.0.113.5:4000")});
    EXPECT_EQ(status(), 403U) << path;
  }
  EXPECT_EQ(site_->refusals.not_allowed, 6U);
  ask({.path = "/playlist.m3u", .peer = endpoint("192.0.2.5:4000")});
  EXPECT_EQ(status(), 200U);
  // Whether the daemon lives is no secret.
  ask({.path = "/healthz", .peer = endpoint("203.0.113.5:4000")});
  EXPECT_EQ(status(), 200U);
}

TEST_F(ServeRoutesTest, WhoShowsATokenGetsAListWithIt) {
  site_->access = ServeAccess({}, {}, AccessTokens::parse("abcdefghijklmnop").value());
  for (const std::string path :
       {kPath, "/playlist.m3u", "/playlist.xspf", "/status", "/metrics", "/channels.json", "/"}) {
    ask({.path = path, .peer = endpoint("192.0.2.5:4000")});
    EXPECT_EQ(status(), 401U) << path;
    EXPECT_THAT(field("WWW-Authenticate"), HasSubstr("Basic"));
  }
  EXPECT_EQ(site_->refusals.no_token, 7U);
  const std::string file = testing::TempDir() + "serve_routes_token_test.m3u";
  std::ofstream(file) << "amt://198.51.100.1@232.1.1.1:5001\n";
  config_.playlist = file;
  ASSERT_TRUE(lists_.read_file());
  ask({.path = "/playlist.m3u", .query = "token=abcdefghijklmnop", .peer = endpoint("192.0.2.5:4000")});
  EXPECT_EQ(status(), 200U);
  EXPECT_THAT(body(), HasSubstr(":5001?token=abcdefghijklmnop\n"));
}

TEST_F(ServeRoutesTest, PagesOfOtherSitesAreRefused) {
  ask({.path = kPath, .host = "tv.example", .origin = "http://evil.example"});
  EXPECT_EQ(status(), 403U);
  EXPECT_EQ(site_->refusals.foreign_page, 1U);
  EXPECT_EQ(service->channel_count(), 0U);
}

TEST_F(ServeRoutesTest, APathThatNamesNoChannelIsRefused) {
  get("/amt/nonsense");
  EXPECT_EQ(status(), 400U);
  get("/hls/nonsense/index.m3u8");
  EXPECT_EQ(status(), 400U);
  EXPECT_EQ(site_->refusals.bad_path, 2U);
  get(std::string(kPath) + "/more");
  EXPECT_EQ(status(), 404U);
  get(std::string(kHlsFolder) + "other.m3u8");
  EXPECT_EQ(status(), 404U);
  get(std::string(kHlsFolder) + "7.ts");
  EXPECT_EQ(status(), 404U);
  EXPECT_EQ(site_->refusals.not_found, 3U);
}

TEST_F(ServeRoutesTest, ARelayInThePathIsTakenWhereThatIsAllowed) {
  const std::string query = "relay=" + relay.endpoint().to_string();
  get(kPath, query);
  EXPECT_EQ(status(), 403U);
  EXPECT_THAT(body(), HasSubstr("--allow-relay-parameter"));
  get(std::string(kHlsFolder) + "index.m3u8", query);
  EXPECT_EQ(status(), 403U);
  site_->allow_relay_parameter = true;
  get(kPath, query);
  ChannelKey with_relay = kServedKey;
  with_relay.relay = relay.endpoint();
  EXPECT_NE(service->find(with_relay), nullptr);
}

TEST_F(ServeRoutesTest, RefusalsOfTheServiceHaveTheirStatus) {
  refusal = "no relay is known";
  get(kPath);
  EXPECT_EQ(status(), 502U);
  EXPECT_THAT(body(), HasSubstr("no relay is known"));
  get(std::string(kHlsFolder) + "index.m3u8");
  EXPECT_EQ(status(), 502U);
  EXPECT_EQ(refusal_of({StreamRefusal::kChannels, "full"}).status, 503U);
  EXPECT_EQ(refusal_of({StreamRefusal::kViewers, "full"}).status, 503U);
}

TEST_F(ServeRoutesTest, ThePlaylistNamesTheHostThatWasAsked) {
  const std::string file = testing::TempDir() + "serve_routes_test.m3u";
  std::ofstream(file) << "#EXTM3U\n#EXTINF:-1 group-title=\"News\",One\namt://198.51.100.1@232.1.1.1:5001\n";
  config_.playlist = file;
  ASSERT_TRUE(lists_.read_file());
  ASSERT_EQ(lists_.listed(), 1U);
  ask({.path = "/playlist.m3u", .host = "tv.example:4022"});
  EXPECT_THAT(body(), HasSubstr("http://tv.example:4022/amt/198.51.100.1@232.1.1.1:5001"));
  get("/playlist.m3u");
  EXPECT_THAT(body(), HasSubstr("http://127.0.0.1:4022/amt/"));
  get("/playlist.xspf");
  EXPECT_THAT(body(), HasSubstr("<location>http://127.0.0.1:4022/amt/198.51.100.1@232.1.1.1:5001</location>"));
  get("/channels.json");
  const auto channels = boost::json::parse(body()).as_array();
  ASSERT_EQ(channels.size(), 1U);
  EXPECT_EQ(channels[0].at("name").as_string(), "One");
}

TEST_F(ServeRoutesTest, StatusAndMetricsCountWhatWasRefused) {
  get("/amt/nonsense");
  static_cast<void>(open());
  get("/status.json");
  const auto json = boost::json::parse(body()).as_object();
  EXPECT_EQ(json.at("role").as_string(), "serve");
  EXPECT_EQ(json.at("channels").as_array().size(), 1U);
  ask({.path = "/metrics"});
  EXPECT_THAT(body(), HasSubstr("amt_serve_"));
}

TEST_F(ServeRoutesTest, HlsHasAnIndexAPlaylistAndSegments) {
  get(std::string(kHlsFolder) + "index.m3u8");
  EXPECT_EQ(status(), 0U);
  ASSERT_TRUE(is_joined());
  send(tables());
  for (int second = 1; second < 6; ++second) send(key_frame(second, second));
  ASSERT_TRUE(run_until(loop, [&] { return answer_.has_value(); }));
  EXPECT_EQ(status(), 200U);
  EXPECT_EQ(answer_->content_type, "application/vnd.apple.mpegurl");
  EXPECT_THAT(body(), HasSubstr("live.m3u8"));
  get(std::string(kHlsFolder) + "live.m3u8");
  EXPECT_THAT(body(), HasSubstr("0.ts"));
  get(std::string(kHlsFolder) + "0.ts");
  EXPECT_EQ(status(), 200U);
  Octets expected = tables();
  append(expected, key_frame(1, 1));
  EXPECT_EQ(body().size(), expected.size());
  get(std::string(kHlsFolder) + "99.ts");
  EXPECT_EQ(status(), 404U);
}

TEST_F(ServeRoutesTest, ThePageLoadsNothingFromElsewhere) {
  get("/");
  if (status() == 404) GTEST_SKIP() << "built without pages";
  EXPECT_EQ(status(), 200U);
  EXPECT_THAT(field("Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(field("Content-Security-Policy"), Not(HasSubstr("http")));
}

}  // namespace
}  // namespace amt::test
