#include "demo/report.hh"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>

namespace amt {
namespace {

/// Messages before the first data that are shown one by one.
constexpr std::size_t kMessagesShown = 16;

double milliseconds_of(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

std::string_view message_name(wire::MessageType type) {
  switch (type) {
    case wire::MessageType::kRelayDiscovery:
      return "Relay Discovery";
    case wire::MessageType::kRelayAdvertisement:
      return "Relay Advertisement";
    case wire::MessageType::kRequest:
      return "Request";
    case wire::MessageType::kMembershipQuery:
      return "Membership Query";
    case wire::MessageType::kMembershipUpdate:
      return "Membership Update";
    case wire::MessageType::kMulticastData:
      return "Multicast Data";
    case wire::MessageType::kTeardown:
      return "Teardown";
  }
  return "";
}

/// "12.3 ms  -> 192.0.2.1  Membership Update  ..."
std::string line(Duration at, bool outgoing, const IpAddress& relay, wire::MessageType type, std::string_view detail) {
  const std::string text = fmt::format("  {:>9.1f} ms  {} {:<16} {:<21}{}", milliseconds_of(at), outgoing ? "->" : "<-",
                                       relay.to_string(), message_name(type), detail);
  return text.substr(0, text.find_last_not_of(' ') + 1) + '\n';
}

/// The messages after the join, by kind: "2 Request, 2 Membership Query, 1 Teardown".
std::string describe_rest(std::span<const ControlMessage> messages) {
  std::string text;
  for (int number = 1; number <= 7; ++number) {
    const auto type = static_cast<wire::MessageType>(number);
    const auto count = std::ranges::count(messages, type, &ControlMessage::type);
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, message_name(type));
  }
  return text;
}

/// One host's exchange with the relay until the first data, message by message, and a summary of the rest.
std::string describe_exchange(const ReceptionOutcome& reception) {
  const std::span<const ControlMessage> messages = reception.messages;
  if (messages.empty()) return "";
  const Duration start = messages.front().at;
  std::size_t shown = 0;
  std::string text;
  while (shown < messages.size() && shown < kMessagesShown &&
         (!reception.first_data || messages[shown].at <= *reception.first_data)) {
    const ControlMessage& message = messages[shown++];
    text += line(message.at - start, message.outgoing, message.relay, message.type, message.detail);
  }
  if (reception.first_data) {
    const IpAddress& relay = messages[shown > 0 ? shown - 1 : 0].relay;
    text += line(*reception.first_data - start, false, relay, wire::MessageType::kMulticastData, "the first");
  }
  const std::string rest = describe_rest(messages.subspan(shown));
  if (!rest.empty()) text += fmt::format("{:>14}  later: {}\n", "", rest);
  return text;
}

std::string describe_frames(const FrameComparison& frames, std::string_view noun) {
  std::string text = fmt::format("{} of {} {} equal", frames.equal, frames.sent, noun);
  if (!frames.all_equal()) text += fmt::format(" ({} missing, {} altered)", frames.missing(), frames.altered());
  return text;
}

std::string describe_reception(const ReceptionOutcome& reception, std::uint64_t sent) {
  const std::string join = reception.join
                               ? fmt::format("{:.1f} ms from join to first packet", milliseconds_of(*reception.join))
                               : std::string("join not seen");
  return fmt::format("    {}; {} of {} packets with the video, {} lost\n    {}{}, {}\n", join, reception.packets, sent,
                     sent - std::min(sent, reception.packets),
                     reception.perfect() ? "" : "DIFFERENT: ", describe_frames(reception.video, "pictures"),
                     describe_frames(reception.audio, "sound frames"));
}

}  // namespace

std::string describe_network() {
  return "Real video through Automatic Multicast Tunneling (RFC 7450), in network namespaces of this machine:\n\n"
         "  source ---- relay ---+---- gateway host, IPv4 only: ffmpeg joins on amt0\n"
         "  (ffmpeg)             +---- gateway host, IPv6 only: ffmpeg joins on amt0\n"
         "                       `---- receiver: amt receive, no interface, no privileges\n\n";
}

std::string describe(const FamilyOutcome& family) {
  std::string text = fmt::format("\n{0}: channel {1} port {2}, through tunnels over {0}\n", family.plan.name,
                                 family.plan.channel.to_string(), family.plan.port);
  for (const ReceptionOutcome& reception : family.receptions) {
    text += fmt::format("  {}\n", reception.who);
    text += describe_exchange(reception);
    text += describe_reception(reception, family.packets_sent);
  }
  if (!family.picture.empty()) text += fmt::format("  a received picture: {}\n", family.picture.string());
  return text;
}

std::string describe_end(const DemoOutcome& outcome) {
  std::string text = fmt::format("\nrelay: {} datagrams into {} tunnels; {} tunnels left at the end\n",
                                 outcome.datagrams_sent, outcome.tunnels, outcome.tunnels_left);
  if (outcome.not_seen > 0) {
    text += fmt::format("this machine was too busy to count all packets: {} were not seen\n", outcome.not_seen);
  }
  const std::size_t all = outcome.receptions();
  const std::size_t perfect = outcome.perfect_receptions();
  if (perfect == all) return text + fmt::format("every frame arrived as it was sent, in all {} receptions\n", all);
  return text + fmt::format("NOT every frame arrived as it was sent: {} of {} receptions are perfect\n", perfect, all);
}

}  // namespace amt
