#pragma once
/// The option tables: one function, and one file, per subcommand. Each binds its options to the struct it is given,
/// which must outlive the table.

#include "config/config.hh"
#include "config/option_table.hh"

namespace amt {

[[nodiscard]] CommandTable relay_table(RelayConfig& config);
[[nodiscard]] CommandTable gateway_table(GatewayConfig& config);
[[nodiscard]] CommandTable receive_table(ReceiveConfig& config);
[[nodiscard]] CommandTable serve_table(ServeConfig& config);
[[nodiscard]] CommandTable send_table(SendConfig& config);
[[nodiscard]] CommandTable announce_table(AnnounceConfig& config);
[[nodiscard]] CommandTable discover_table(DiscoverConfig& config);
[[nodiscard]] CommandTable status_table(StatusConfig& config);
[[nodiscard]] CommandTable reload_table(ReloadConfig& config);
[[nodiscard]] CommandTable drain_table(DrainConfig& config);
[[nodiscard]] CommandTable top_table(TopConfig& config);
[[nodiscard]] CommandTable bench_table(BenchConfig& config);
[[nodiscard]] CommandTable demo_table(DemoConfig& config);

/// The options that every subcommand takes, at the end of its table.
void add_common_options(CommandTable& table, CommonConfig& config);

/// The limits of a relay and of one of its subscribers: `--max-...`, `--allow-group`.
void add_relay_limits(CommandTable& table, RelayConfig& config);

/// `--playlist`, `--sap...` of `serve`.
void add_list_options(CommandTable& table, ServeConfig& config);
/// What is wrong with them together.
[[nodiscard]] std::optional<std::string> problem_of_lists(const ServeConfig& config);

/// `--control`, `--http`, `--http-host` of the daemon `role`.
void add_observe_options(CommandTable& table, ObserveConfig& config, const std::string& role);
/// `--control` of a subcommand that asks a running daemon. `default_text`: where it looks by itself.
void add_control_choice(CommandTable& table, std::optional<std::string>& control,
                        std::string default_text = "relay.sock and gateway.sock in /run/amt and $XDG_RUNTIME_DIR/amt");

/// `--relay`, `--discovery`, `--local`, `--gateway-port`, `--relay-port` of `gateway` and `receive`.
void add_relay_choice_options(CommandTable& table, RelayChoice& choice);
/// Fills in ports.
void finish_relay_choice(RelayChoice& choice);

/// `--resolver`, `--dnssec`, `--trust-anchor`.
void add_dns_options(CommandTable& table, DnsChoice& choice);
/// Fills in ports.
void finish_dns_choice(DnsChoice& choice);

}  // namespace amt
