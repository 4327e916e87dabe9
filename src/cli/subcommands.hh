#pragma once
/// One function, in a file of its own, per subcommand. Each returns the exit status (INTERFACE: 0 done or stopped by
/// SIGINT or SIGTERM, 1 failed while running, 2 unusable arguments).

#include <string>
#include <vector>

#include "config/command_line.hh"

namespace amt {

/// `arguments`: those that `invocation` was made of, for a reload.
[[nodiscard]] int run_relay(const Invocation& invocation, const std::vector<std::string>& arguments);
[[nodiscard]] int run_gateway(const Invocation& invocation, const std::vector<std::string>& arguments);
[[nodiscard]] int run_receive(const ReceiveConfig& config, const CommonConfig& common);
[[nodiscard]] int run_serve(const ServeConfig& config, const CommonConfig& common);
[[nodiscard]] int run_send(const SendConfig& config, const CommonConfig& common);
[[nodiscard]] int run_announce(const AnnounceConfig& config, const CommonConfig& common);
[[nodiscard]] int run_discover(const DiscoverConfig& config, const CommonConfig& common);
[[nodiscard]] int run_status(const StatusConfig& config, const CommonConfig& common);
[[nodiscard]] int run_top(const TopConfig& config, const CommonConfig& common);
[[nodiscard]] int run_bench(const BenchConfig& config, const CommonConfig& common);
[[nodiscard]] int run_reload(const ReloadConfig& config, const CommonConfig& common);
[[nodiscard]] int run_drain(const DrainConfig& config, const CommonConfig& common);
[[nodiscard]] int run_demo(const DemoConfig& config, const CommonConfig& common);

}  // namespace amt
