#pragma once
/// One function, in a file of its own, per subcommand. Each returns the exit status (INTERFACE: 0 done or stopped by
/// SIGINT or SIGTERM, 1 failed while running, 2 unusable arguments).

#include "config/config.hh"

namespace amt {

[[nodiscard]] int run_relay(const RelayConfig& config, const CommonConfig& common);
[[nodiscard]] int run_gateway(const GatewayConfig& config, const CommonConfig& common);
[[nodiscard]] int run_receive(const ReceiveConfig& config, const CommonConfig& common);
[[nodiscard]] int run_send(const SendConfig& config, const CommonConfig& common);
[[nodiscard]] int run_discover(const DiscoverConfig& config, const CommonConfig& common);
[[nodiscard]] int run_status(const StatusConfig& config, const CommonConfig& common);
[[nodiscard]] int run_bench(const BenchConfig& config, const CommonConfig& common);
[[nodiscard]] int run_demo(const DemoConfig& config, const CommonConfig& common);

}  // namespace amt
