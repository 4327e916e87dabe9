#pragma once
/// Session descriptions (RFC 8866): of one, as much as says which channel it is.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "amt/channel.hh"
#include "amt/result.hh"

namespace amt {

enum class SdpError : std::uint8_t { kMalformed };

/// A transport stream on a multicast channel.
struct AnnouncedStream {
  Channel channel{};
  std::uint16_t port = 0;
  bool is_rtp = false;

  friend bool operator==(const AnnouncedStream&, const AnnouncedStream&) = default;
};

struct SessionDescription {
  static constexpr std::size_t kNameOctetsMax = 256;

  /// The session's identity: the `o=` line without the version in it.
  std::string identity{};
  /// For people: printable, at most `kNameOctetsMax` octets.
  std::string name{};
  /// Of `a=x-plgroup` (VLC) or `a=cat`; printable.
  std::string group_title{};
  /// Seconds since 1900 (NTP); 0: it has no end.
  std::uint64_t ends_at = 0;
  /// The address of the first `c=` line.
  std::optional<IpAddress> connection{};
  /// The first medium that is MPEG-TS over UDP or RTP, on a group that may be joined. Source-specific by
  /// `a=source-filter: incl` (RFC 4570), the first source of it.
  std::optional<AnnouncedStream> stream{};

  /// Lines end with CRLF or LF. Unknown lines and attributes are passed over (RFC 8866 §5). Cost: linear in the text.
  static Result<SessionDescription, SdpError> parse(std::string_view text);
  /// The identity that the `o=` line of `text` has; the text of a deletion may be nothing else.
  static std::optional<std::string> identity_of(std::string_view text);
};

/// What an announcer says of one channel.
struct SessionText {
  IpAddress host{};              ///< that announces it
  std::uint64_t session_id = 0;  ///< the same for the same channel, another for another
  std::uint64_t version = 0;     ///< grows with each change
  std::string_view name{};
  std::string_view group_title{};
  AnnouncedStream stream{};
};
/// The description, which `SessionDescription::parse` reads again. Control characters become spaces.
[[nodiscard]] std::string write_session_description(const SessionText& session);

}  // namespace amt
