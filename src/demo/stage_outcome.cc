#include "demo/stage.hh"

namespace amt {
namespace {

std::optional<Duration> time_between(std::optional<Duration> asked, std::optional<Duration> first) {
  if (!asked || !first || *first < *asked) return std::nullopt;
  return *first - *asked;
}

}  // namespace

ReceptionOutcome Stage::listener_outcome(const Side& side) const {
  ReceptionOutcome listener;
  listener.who = "ffmpeg on amt0";
  listener.file = file("listener-" + side.plan.file_name + ".ts");
  listener.messages = side.gateway_log.messages();
  listener.first_data = side.gateway_log.first_data();
  listener.packets = side.gateway_log.stream_native();
  // From the kernel's IGMP or MLD report on amt0.
  listener.join = time_between(side.gateway_log.reported(), side.gateway_log.first_native());
  return listener;
}

ReceptionOutcome Stage::receiver_outcome(const Side& side) const {
  ReceptionOutcome receiver;
  receiver.who = "amt receive";
  receiver.file = file("receive-" + side.plan.file_name + ".ts");
  receiver.messages = side.receiver_log.messages();
  receiver.first_data = side.receiver_log.first_data();
  receiver.packets = side.received;
  // From its first message to the relay.
  if (!receiver.messages.empty()) receiver.join = time_between(receiver.messages.front().at, receiver.first_data);
  return receiver;
}

DemoOutcome Stage::outcome() {
  watch();
  DemoOutcome outcome;
  for (std::size_t i = 0; i < sides_.size(); ++i) {
    const Side& side = sides_[i];
    FamilyOutcome& family = outcome.families[i];
    family.plan = side.plan;
    family.packets_sent = side.source_log.stream_native();
    if (options_.interfaces) family.receptions.push_back(listener_outcome(side));
    family.receptions.push_back(receiver_outcome(side));
  }
  outcome.tunnels = tunnels_at_end_.size();
  for (const ShownTunnel& tunnel : tunnels_at_end_) outcome.datagrams_sent += tunnel.packets;
  outcome.tunnels_left = tunnels_left_;
  for (PacketCapture& capture : captures_) outcome.not_seen += capture.drops();
  return outcome;
}

}  // namespace amt
