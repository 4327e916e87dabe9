/// Announcements of sessions: SAP packets and the descriptions in them, as they come and as they would be with a right
/// header, deletions, and time that passes.
///
/// The input: operations, each an octet with its kind, the number of octets that it takes, and those.

#include <algorithm>

#include "fuzz_target.hh"
#include "sap/session_directory.hh"

namespace amt {
namespace {

constexpr int kOperationsMax = 16;
constexpr std::uint64_t kNtpSeconds = 4'000'000'000;

std::string text_of(Bytes octets) {
  std::string text(octets.size(), '\0');
  std::ranges::transform(octets, text.begin(), [](std::byte one) { return std::to_integer<char>(one); });
  return text;
}

/// What is read and written again says the same.
void check_round_trip(const SessionDescription& description) {
  AMT_ASSERT(!description.identity.empty());
  AMT_ASSERT(description.identity.size() <= SessionDescription::kNameOctetsMax);
  AMT_ASSERT(std::ranges::none_of(description.name, [](char c) { return c == '\n' || c == '\r' || c == '\x1b'; }));
  if (!description.stream) return;
  AMT_ASSERT(description.stream->channel.group.is_multicast() && description.stream->port != 0);
  const auto again = SessionDescription::parse(write_session_description({.host = IpAddress{},
                                                                          .name = description.name,
                                                                          .group_title = description.group_title,
                                                                          .stream = *description.stream}));
  AMT_ASSERT(again && again->stream == description.stream);
}

void run(ByteReader in) {
  SeededRandom random(1);
  SessionDirectory directory(random);
  Instant now = Instant{} + std::chrono::hours(1);
  for (int i = 0; i < kOperationsMax && in.has(1); ++i) {
    const std::uint8_t operation = in.u8();
    const IpAddress host = IpAddress::from_v4(0xc0000200U | (operation >> 2U & 3U));
    if ((operation & 3U) == 3) {
      now += std::chrono::minutes(operation);
      directory.handle_timeout(now);
    } else if ((operation & 3U) == 2) {
      static_cast<void>(directory.handle_datagram(now, kNtpSeconds, host, fuzz::next_bytes(in, fuzz::next_u8(in))));
    } else {
      SapPacket packet{.is_deletion = (operation & 1U) != 0,
                       .message_id_hash = fuzz::next_u8(in),
                       .origin = host,
                       .payload = "v=0\n" + text_of(fuzz::next_bytes(in, fuzz::next_u8(in)))};
      if (const auto description = SessionDescription::parse(packet.payload)) check_round_trip(*description);
      static_cast<void>(directory.handle_datagram(now, kNtpSeconds, host, packet.serialise()));
    }
    AMT_ASSERT(directory.sessions().size() <= static_cast<std::size_t>(i) + 1);
    for (const auto& [key, session] : directory.sessions()) AMT_ASSERT(session.expires >= directory.next_deadline());
  }
}

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  amt::run(amt::ByteReader(amt::fuzz::input(data, size)));
  return 0;
}
