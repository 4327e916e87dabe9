/// The program `amt`: reads the command line, sets up the parts that all subcommands share, and calls one.

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/commit.hh"
#include "cli/man_viewer.hh"
#include "cli/subcommands.hh"
#include "config/command_line.hh"
#include "sys/log.hh"

namespace amt {
namespace {

struct RunSubcommand {
  const Invocation& invocation;
  const std::vector<std::string>& arguments;
  const CommonConfig& common = invocation.common;

  int operator()(const RelayConfig&) const { return run_relay(invocation, arguments); }
  int operator()(const GatewayConfig&) const { return run_gateway(invocation, arguments); }
  int operator()(const ReceiveConfig& config) const { return run_receive(config, common); }
  int operator()(const ServeConfig& config) const { return run_serve(config, common); }
  int operator()(const SendConfig& config) const { return run_send(config, common); }
  int operator()(const AnnounceConfig& config) const { return run_announce(config, common); }
  int operator()(const DiscoverConfig& config) const { return run_discover(config, common); }
  int operator()(const StatusConfig& config) const { return run_status(config, common); }
  int operator()(const TopConfig& config) const { return run_top(config, common); }
  int operator()(const BenchConfig& config) const { return run_bench(config, common); }
  int operator()(const ReloadConfig& config) const { return run_reload(config, common); }
  int operator()(const DrainConfig& config) const { return run_drain(config, common); }
  int operator()(const DemoConfig& config) const { return run_demo(config, common); }
};

int print(const EarlyExit& exit) {
  if (!exit.man_page.empty()) return show_man_page(exit.man_page, exit.standard_output);
  std::fputs(exit.standard_error.c_str(), stderr);
  const bool printed = std::fputs(exit.standard_output.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return printed ? exit.status : 1;
}

int run(const std::vector<std::string>& arguments) {
  const Result<Invocation, EarlyExit> invocation = parse_command_line(arguments, commit());
  if (!invocation) return print(invocation.error());
  configure_log({.level = invocation->common.log_level, .json = invocation->common.log_json});
  return std::visit(RunSubcommand{*invocation, arguments}, invocation->command);
}

/// The parent may have closed 0, 1 or 2. The next file or socket that is opened would take the number, and a log line
/// or a payload would go there.
void open_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // The lowest free number is the one that is missing.
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
  }
}

}  // namespace
}  // namespace amt

int main(int argc, char** argv) {
  amt::open_standard_descriptors();
  // A reader that went away (`amt receive ... | head`) is an error of write(2), not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return amt::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const std::exception& error) {
    // No exception crosses a room: one that gets here means that memory has run out, or a bug.
    // allow: there may be no memory for a log line
    std::fprintf(stderr, "amt: stopped by an unexpected failure: %s\n", error.what());
    return 1;
  }
}
