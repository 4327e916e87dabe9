#pragma once
/// From the file of `amt announce` to packets.

#include <string>
#include <vector>

#include "amt/result.hh"
#include "sap/announcement_schedule.hh"
#include "sap/session_description.hh"

namespace amt {

/// The sessions of a file, before it is known from which address they are announced.
class AnnouncedSessions {
 public:
  /// As many as a directory takes of one host (SessionDirectory::kSessionsPerHostMax).
  static constexpr std::size_t kSessionsMax = 250;

  /// M3U, or SDP where the file begins with "v=0". Entries that are no channels are passed over with a warning. Error:
  /// one line for the user, without the file's name.
  static Result<AnnouncedSessions, std::string> read(const std::string& path);

  struct Session {
    IpAddress group{};         ///< of the channel
    AnnouncedStream stream{};  ///< of an entry of a list
    std::string name{};
    std::string group_title{};
    std::string text{};  ///< of a file of SDP, as it stands there; else empty
  };
  [[nodiscard]] const std::vector<Session>& sessions() const { return sessions_; }

 private:
  Result<void, std::string> take_description(std::string text);
  Result<void, std::string> take_list(const std::string& path, std::string_view text);

  std::vector<Session> sessions_;
};

/// The packets that announce `session` from `host`, and take it back. `version`: grows from one start to the next. The
/// session keeps its identity as long as its channel and the host stay the same.
[[nodiscard]] Announcement make_announcement(const AnnouncedSessions::Session& session, const IpAddress& to,
                                             const IpAddress& host, std::uint64_t version);

}  // namespace amt
