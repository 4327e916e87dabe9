#include "cli/announced_sessions.hh"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "config/playlist.hh"
#include "sap/session_directory.hh"
#include "sys/log.hh"

namespace amt {
namespace {

constexpr std::size_t kFileOctetsMax = std::size_t{4} << 20;
/// RFC 2974 §6: a packet "SHOULD NOT be greater than 1kByte".
constexpr std::size_t kPacketOctetsWanted = 1024;
constexpr std::size_t kHeaderOctetsMax = 64;
static_assert(AnnouncedSessions::kSessionsMax <= SessionDirectory::kSessionsPerHostMax);

Result<std::string, std::string> read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kFileOctetsMax + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || file.gcount() == 0) return Unexpected<std::string>("cannot be read, or is empty");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kFileOctetsMax) return Unexpected<std::string>("larger than 4 MiB");
  return text;
}

/// FNV-1a, 63 bits of it: RFC 8866 §5.2 wants a number that is the session's own.
std::uint64_t session_id(const AnnouncedStream& stream) {
  constexpr std::uint64_t kOffset = 14695981039346656037U;
  constexpr std::uint64_t kPrime = 1099511628211U;
  std::uint64_t hash = kOffset;
  for (const char c : stream.channel.to_string() + ":" + std::to_string(stream.port)) {
    hash = (hash ^ static_cast<std::uint8_t>(c)) * kPrime;
  }
  return hash >> 1U;
}

}  // namespace

Result<AnnouncedSessions, std::string> AnnouncedSessions::read(const std::string& path) {
  Result<std::string, std::string> text = read_text(path);
  if (!text) return Unexpected<std::string>(text.error());
  AnnouncedSessions read;
  const Result<void, std::string> taken =
      text->starts_with("v=0") ? read.take_description(std::move(*text)) : read.take_list(path, *text);
  if (!taken) return Unexpected<std::string>(taken.error());
  return read;
}

Result<void, std::string> AnnouncedSessions::take_description(std::string text) {
  if (text.size() + kHeaderOctetsMax > kSapOctetsMax) {
    return Unexpected<std::string>("larger than a packet of announcements may be, 4096 octets");
  }
  if (text.size() + kHeaderOctetsMax > kPacketOctetsWanted) {
    log_warn("the description has {} octets; RFC 2974 wants packets of at most {}", text.size(), kPacketOctetsWanted);
  }
  const Result<SessionDescription, SdpError> description = SessionDescription::parse(text);
  if (!description) return Unexpected<std::string>("no session description (RFC 8866)");
  if (!description->connection || !description->connection->is_multicast()) {
    return Unexpected<std::string>("the session has no multicast group in a c= line");
  }
  if (!description->stream) log_warn("the session has no MPEG-TS over UDP or RTP: amt serve does not list it");
  sessions_.push_back({.group = *description->connection, .text = std::move(text)});
  return {};
}

Result<void, std::string> AnnouncedSessions::take_list(const std::string& path, std::string_view text) {
  const Playlist list = Playlist::parse(text);
  for (const std::string& problem : list.problems) log_warn("{}: {}", path, problem);
  std::size_t others = 0;
  for (const PlaylistEntry& entry : list.entries) {
    const ChannelUrl* const url = entry.channel();
    if (url == nullptr) {
      ++others;
      continue;
    }
    const AnnouncedStream stream{.channel = url->channel, .port = *url->port, .is_rtp = entry.is_rtp};
    if (std::ranges::find(sessions_, stream, &Session::stream) != sessions_.end()) continue;
    if (sessions_.size() == kSessionsMax) {
      return Unexpected<std::string>("more than 250 channels, which no listener takes of one host");
    }
    sessions_.push_back({.group = url->channel.group,
                         .stream = stream,
                         .name = entry.name.empty() ? entry.path() : entry.name,
                         .group_title = std::string(entry.attribute("group-title"))});
  }
  if (others != 0) log_warn("{}: {} entries are no multicast channels, and are not announced", path, others);
  if (sessions_.empty()) return Unexpected<std::string>("has no channel: amt://, udp:// or rtp://, with a port");
  return {};
}

Announcement make_announcement(const AnnouncedSessions::Session& session, const IpAddress& to, const IpAddress& host,
                               std::uint64_t version) {
  SapPacket packet{.origin = host, .payload = session.text};
  if (packet.payload.empty()) {
    packet.payload = write_session_description({.host = host,
                                                .session_id = session_id(session.stream),
                                                .version = version,
                                                .name = session.name,
                                                .group_title = session.group_title,
                                                .stream = session.stream});
  }
  packet.message_id_hash = message_id_hash(packet.payload);
  Announcement made{.group = to, .packet = packet.serialise()};
  packet.is_deletion = true;
  made.deletion = packet.serialise();
  return made;
}

}  // namespace amt
