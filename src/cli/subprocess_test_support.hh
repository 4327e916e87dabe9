#pragma once
/// Subcommands that run until they are stopped: each in a process of its own, in the network namespace of the test.

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "cli/cli_test_support.hh"
#include "cli/failure.hh"
#include "cli/subcommands.hh"
#include "engine/relay/relay_engine_test_support.hh"
#include "observe/control_client.hh"
#include "sys/clock.hh"
#include "sys/test_namespace.hh"

namespace amt::cli_test {

/// So long a machine may be busy with other things.
inline constexpr Duration kPatience = std::chrono::seconds(60);

/// False: it did not come true.
template <typename Condition>
bool await(Condition condition) {
  const Instant end = monotonic_now() + kPatience;
  while (!condition()) {
    if (monotonic_now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

/// Its messages go to a file.
class Subprocess {
 public:
  Subprocess(const std::function<int()>& run, const std::string& log) : log_(log) {
    std::fflush(stdout);
    std::fflush(stderr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    // Also where the test itself dies.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (std::freopen(log.c_str(), "w", stderr) == nullptr || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) ::_exit(99);
    // As a program ends: what the compiler's coverage counted is written.
    std::exit(run());
  }
  ~Subprocess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  void signal(int number) const { ::kill(pid_, number); }
  /// The exit status; -1: it was killed, or has not ended in time.
  int wait() {
    int status = 0;
    const bool ended = await([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    if (!ended) return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  /// Stops it as a person does.
  int stop() {
    signal(SIGTERM);
    return wait();
  }
  [[nodiscard]] std::string log() const {
    std::ifstream file(log_);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  /// A line with `text` was logged.
  [[nodiscard]] bool says(std::string_view text) const {
    return await([&] { return log().find(text) != std::string::npos; });
  }

 private:
  std::string log_;
  pid_t pid_ = -1;
};

/// `near` and `far` are a cable: a source sends by `near`, the relay at 127.0.0.1 listens on `far`.
class WithRelay : public InTestNamespace {
 protected:
  void SetUp() override {
    InTestNamespace::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    ASSERT_TRUE(ok(create_veth("near", "far", std::nullopt)));
    ASSERT_TRUE(ok(add_address(find_link("near")->index, {relay_engine_test::kSource, 24})));
    ASSERT_TRUE(ok(set_link_up(find_link("near")->index)));
    ASSERT_TRUE(ok(set_link_up(find_link("far")->index)));
  }

  std::unique_ptr<Subprocess> start_relay(std::vector<std::string> more = {}, const std::string& log = "relay.log") {
    std::vector<std::string> arguments{"relay",     "--local", "127.0.0.1", "--upstream", "far",
                                       "--workers", "1",       "--control", control(),    "--no-sandbox"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto relay = std::make_unique<Subprocess>([&] { return run_with(arguments); }, folder_.path(log));
    EXPECT_TRUE(relay->says("relay ready on 127.0.0.1:2268")) << relay->log();
    return relay;
  }
  /// As `main` does.
  static int run_with(const std::vector<std::string>& arguments) {
    const Result<Invocation, EarlyExit> invocation = parse_command_line(arguments);
    if (!invocation) return fail(invocation.error().standard_error);
    return std::holds_alternative<RelayConfig>(invocation->command) ? run_relay(*invocation, arguments)
                                                                    : run_gateway(*invocation, arguments);
  }

  [[nodiscard]] std::string control() const { return folder_.path("relay.sock"); }
  /// Null: nobody answers.
  [[nodiscard]] static boost::json::value status_at(const std::string& path) {
    const SysResult<FetchedStatus> answer = fetch_status(path, "");
    return answer && answer->accepted ? boost::json::parse(answer->json) : boost::json::value();
  }
  [[nodiscard]] std::int64_t tunnels() const {
    const boost::json::value status = status_at(control());
    return status.is_null() ? -1 : status.at("tunnel_count").to_number<std::int64_t>();
  }

  TemporaryFolder folder_;
};

}  // namespace amt::cli_test
