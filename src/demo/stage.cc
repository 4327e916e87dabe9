#include "demo/stage.hh"

#include <fmt/format.h>

#include <algorithm>

#include "demo/receive_stats.hh"
#include "demo/video.hh"
#include "demo/waiting.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

using std::chrono::seconds;

constexpr Duration kStartPatience = seconds(10);
constexpr Duration kArrivalPatience = seconds(2);
constexpr Duration kVideoPatience = seconds(30);

/// Where each capture looks; the order in `Stage::captures_`.
enum Capture : std::size_t { kAtSource, kAtGateway4, kAtGateway6, kAtReceiver, kCaptures };

std::string bracketed(const IpAddress& address) {
  return address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
}

std::string channel_url(const FamilyPlan& plan) {
  return fmt::format("amt://{}@{}:{}", bracketed(plan.source()), bracketed(plan.channel.group), plan.port);
}

}  // namespace

Stage::Side::Side(const FamilyPlan& family)
    : plan(family),
      source_log(plan.channel, plan.port, plan.family()),
      gateway_log(plan.channel, plan.port, plan.family()),
      receiver_log(plan.channel, plan.port, plan.family()) {}

Stage::Stage(StageOptions options, Self self, DemoNetwork network, std::vector<PacketCapture> captures)
    : options_(std::move(options)),
      self_(std::move(self)),
      network_(std::move(network)),
      captures_(std::move(captures)),
      sides_{Side(family_plans()[0]), Side(family_plans()[1])} {}

DemoResult<std::unique_ptr<Stage>> Stage::set_up(StageOptions options, Self self) {
  SysResult<DemoNetwork> network = DemoNetwork::build();
  if (!network) return demo_failure(network.error());
  const DemoResult<void> up = wait_for("the links to come up", kStartPatience, [&] { return network->links_ready(); });
  if (!up) return tl::unexpected(up.error());
  std::vector<PacketCapture> captures;
  for (const NetworkNamespace* place :
       {&network->source, &network->gateways[0], &network->gateways[1], &network->receiver}) {
    SysResult<PacketCapture> capture = PacketCapture::open(*place);
    if (!capture) return demo_failure(capture.error());
    captures.push_back(std::move(*capture));
  }
  auto stage = std::make_unique<Stage>(std::move(options), std::move(self), std::move(*network), std::move(captures));
  for (Side& side : stage->sides_) {
    SysResult<Ticker> ticker = Ticker::open(stage->network_.source, side.plan);
    if (!ticker) return demo_failure(ticker.error());
    side.ticker = std::move(*ticker);
  }
  return stage;
}

const NetworkNamespace& Stage::gateway_place(const Side& side) const {
  return network_.gateways[&side == &sides_[0] ? 0 : 1];
}

void Stage::watch() {
  captures_[kAtSource].drain([this](const SeenDatagram& seen) {
    for (Side& side : sides_) side.source_log.handle(seen.at, seen.outgoing, seen.bytes);
  });
  captures_[kAtReceiver].drain([this](const SeenDatagram& seen) {
    for (Side& side : sides_) side.receiver_log.handle(seen.at, seen.outgoing, seen.bytes);
  });
  for (std::size_t i = 0; i < sides_.size(); ++i) {
    captures_[kAtGateway4 + i].drain(
        [&](const SeenDatagram& seen) { sides_[i].gateway_log.handle(seen.at, seen.outgoing, seen.bytes); });
  }
}

Program* Stage::dead_program() {
  if (relay_ && relay_->exit_status()) return &*relay_;
  for (Side& side : sides_) {
    for (std::optional<Program>* program : {&side.gateway, &side.listener, &side.receiver}) {
      if (*program && (*program)->exit_status()) return &**program;
    }
  }
  return nullptr;
}

bool Stage::all_arrived() const {
  return std::ranges::all_of(sides_, [this](const Side& side) {
    const std::uint64_t sent = side.source_log.stream_native();
    return side.receiver_log.stream_in_tunnel() >= sent &&
           (!options_.interfaces || side.gateway_log.stream_native() >= sent);
  });
}

DemoResult<void> Stage::await(const std::string& what, Duration timeout, const std::function<bool()>& done) {
  Program* dead = nullptr;
  const DemoResult<void> waited = wait_for(what, timeout, [&] {
    watch();
    if (done()) return true;
    dead = dead_program();
    return dead != nullptr;
  });
  if (dead != nullptr) return tl::unexpected(dead->failure());
  return waited;
}

DemoResult<Program> Stage::start(std::string name, CommandLine arguments, const NetworkNamespace& place) {
  return Program::start({std::move(name), std::move(arguments), &place, options_.directory});
}

DemoResult<std::vector<ShownTunnel>> Stage::relay_tunnels() {
  const DemoResult<std::string> answer =
      run_program({.name = "status",
                   .arguments = self_.with({"status", "--control", file("relay.sock"), "--json"}),
                   .directory = options_.directory},
                  kStartPatience);
  if (!answer) return tl::unexpected(answer.error());
  std::optional<std::vector<ShownTunnel>> tunnels = parse_relay_status(*answer);
  if (!tunnels) return demo_failure("amt status --json did not print a relay's status");
  return std::move(*tunnels);
}

DemoResult<void> Stage::make_video() {
  const DemoResult<std::string> made =
      run_program({.name = "make-video", .arguments = amt::make_video(sent_file()), .directory = options_.directory},
                  kVideoPatience);
  if (!made) return tl::unexpected(made.error());
  return {};
}

DemoResult<void> Stage::start_tunnels() {
  CommandLine arguments = {"relay", "--upstream", kRelayUpstream, "--control", file("relay.sock")};
  for (const Side& side : sides_) {
    arguments.insert(arguments.end(),
                     {"--local", side.plan.relay.to_string(), "--discovery", side.plan.discovery.to_string()});
  }
  DemoResult<Program> relay = start("relay", self_.with(arguments), network_.relay);
  if (!relay) return tl::unexpected(relay.error());
  relay_ = std::move(*relay);
  if (auto ready = await("the relay", kStartPatience, [&] { return relay_->logged("ready"); }); !ready) return ready;
  if (!options_.interfaces) return {};

  for (Side& side : sides_) {
    const std::string name = "gateway-" + side.plan.file_name;
    DemoResult<Program> gateway =
        start(name,
              self_.with({"gateway", "--discovery", side.plan.discovery.to_string(), "--interface", kGatewayInterface,
                          "--control", file(name + ".sock")}),
              gateway_place(side));
    if (!gateway) return tl::unexpected(gateway.error());
    side.gateway = std::move(*gateway);
  }
  return await("the gateways to meet the relay", kStartPatience, [&] {
    for (const Side& side : sides_) {
      bool met = false;
      for (const ControlMessage& message : side.gateway_log.messages()) {
        met |= message.type == wire::MessageType::kMembershipQuery;
      }
      if (!met || !side.gateway->logged("ready")) return false;
    }
    return true;
  });
}

DemoResult<void> Stage::join() {
  for (Side& side : sides_) {
    if (options_.interfaces) {
      const std::string name = "listener-" + side.plan.file_name;
      DemoResult<Program> listener = start(name, record_channel(side.plan, file(name + ".ts")), gateway_place(side));
      if (!listener) return tl::unexpected(listener.error());
      side.listener = std::move(*listener);
    }
    const std::string name = "receive-" + side.plan.file_name;
    DemoResult<Program> receiver =
        start(name,
              self_.without_privileges({"receive", channel_url(side.plan), "--relay", side.plan.relay.to_string(), "-o",
                                        file(name + ".ts"), "--stats", "json", "--quiet"}),
              network_.receiver);
    if (!receiver) return tl::unexpected(receiver.error());
    side.receiver = std::move(*receiver);
  }
  return await("everybody to join", kStartPatience, [&] {
    bool all = true;
    for (const Side& side : sides_) {
      side.ticker->tick();
      all = all && side.receiver_log.first_data() && (!options_.interfaces || side.gateway_log.first_native());
    }
    return all;
  });
}

DemoResult<void> Stage::stream() {
  for (Side& side : sides_) {
    DemoResult<Program> streamer =
        start("stream-" + side.plan.file_name, stream_video(sent_file(), side.plan), network_.source);
    if (!streamer) return tl::unexpected(streamer.error());
    side.streamer = std::move(*streamer);
  }
  for (Side& side : sides_) {
    const DemoResult<void> ended =
        await("the video to end", kVideoPatience, [&] { return side.streamer->exit_status().has_value(); });
    if (!ended) return ended;
    if (side.streamer->exit_status() != 0) return tl::unexpected(side.streamer->failure());
  }
  const Instant deadline = monotonic_now() + kArrivalPatience;
  // Packets that are still missing then are lost, which the comparison will show.
  const auto settled = [&] { return all_arrived() || monotonic_now() >= deadline; };
  if (auto waited = await("the last packets", kStartPatience, settled); !waited) return waited;
  DemoResult<std::vector<ShownTunnel>> tunnels = relay_tunnels();
  if (!tunnels) return tl::unexpected(tunnels.error());
  tunnels_at_end_ = std::move(*tunnels);

  // The listeners end when nothing comes any more.
  const auto listeners_ended = [&] {
    watch();
    for (Side& side : sides_) {
      if (side.listener && !side.listener->exit_status()) return false;
    }
    return true;
  };
  const Duration patience = seconds(kRecorderPatienceSeconds) + kStartPatience;
  if (auto ended = wait_for("the listeners to end", patience, listeners_ended); !ended) return ended;
  for (Side& side : sides_) {
    if (side.listener && side.listener->exit_status() != 0) return tl::unexpected(side.listener->failure());
    side.listener.reset();
  }
  return {};
}

DemoResult<void> Stage::leave() {
  for (Side& side : sides_) {
    for (std::optional<Program>* program : {&side.receiver, &side.gateway}) {
      if (!*program) continue;
      if ((*program)->stop() != 0) return tl::unexpected((*program)->failure());
    }
    const std::optional<std::uint64_t> received = parse_packets_received(side.receiver->standard_output());
    if (!received) return demo_failure("amt receive --stats json did not print what it received");
    side.received = *received;
  }
  const DemoResult<std::vector<ShownTunnel>> left = relay_tunnels();
  if (!left) return tl::unexpected(left.error());
  tunnels_left_ = left->size();
  watch();
  if (relay_->stop() != 0) return tl::unexpected(relay_->failure());
  return {};
}

}  // namespace amt
