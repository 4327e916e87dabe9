#pragma once
/// The demo's performance, act by act. One object plays once; everything it started ends with it.

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "demo/failure.hh"
#include "demo/network.hh"
#include "demo/outcome.hh"
#include "demo/packet_capture.hh"
#include "demo/program.hh"
#include "demo/relay_status.hh"
#include "demo/self.hh"
#include "demo/ticker.hh"
#include "demo/tunnel_log.hh"

namespace amt {

struct StageOptions {
  /// For streams, logs and sockets.
  std::filesystem::path directory;
  /// Without: no gateways, only `amt receive`.
  bool interfaces = true;
};

class Stage {
 public:
  static DemoResult<std::unique_ptr<Stage>> set_up(StageOptions options, Self self);
  Stage(StageOptions options, Self self, DemoNetwork network, std::vector<PacketCapture> captures);

  DemoResult<void> make_video();
  /// Relay and gateways, until the gateways have met the relay.
  DemoResult<void> start_tunnels();
  /// Listeners and `amt receive`, until the first datagram of the channel has come to each.
  DemoResult<void> join();
  /// The whole video, until all receivers have stored it.
  DemoResult<void> stream();
  /// Everybody leaves.
  DemoResult<void> leave();
  /// The outcome so far; frames are not compared here.
  [[nodiscard]] DemoOutcome outcome();

  [[nodiscard]] std::filesystem::path sent_file() const { return options_.directory / "sent.ts"; }

 private:
  /// One address family's players.
  struct Side {
    explicit Side(const FamilyPlan& plan);

    const FamilyPlan& plan;
    TunnelLog source_log;
    TunnelLog gateway_log;
    TunnelLog receiver_log;
    std::optional<Ticker> ticker;
    std::optional<Program> gateway;
    std::optional<Program> listener;
    std::optional<Program> receiver;
    std::optional<Program> streamer;
    /// By `amt receive`'s own account.
    std::uint64_t received = 0;
  };

  /// Reads the captures.
  void watch();
  /// `wait_for` that watches meanwhile and fails early when a program that must run ended.
  DemoResult<void> await(const std::string& what, Duration timeout, const std::function<bool()>& done);
  /// Of the stream everything that left the source has come to everybody.
  [[nodiscard]] bool all_arrived() const;
  [[nodiscard]] Program* dead_program();
  DemoResult<Program> start(std::string name, CommandLine arguments, const NetworkNamespace& place);
  DemoResult<std::vector<ShownTunnel>> relay_tunnels();

  [[nodiscard]] ReceptionOutcome listener_outcome(const Side& side) const;
  [[nodiscard]] ReceptionOutcome receiver_outcome(const Side& side) const;
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return options_.directory / name; }
  [[nodiscard]] const NetworkNamespace& gateway_place(const Side& side) const;

  StageOptions options_;
  Self self_;
  DemoNetwork network_;
  /// Source, gateways, receiver.
  std::vector<PacketCapture> captures_;
  std::array<Side, 2> sides_;
  std::optional<Program> relay_;
  std::vector<ShownTunnel> tunnels_at_end_;
  std::size_t tunnels_left_ = 0;
};

}  // namespace amt
