#include "observe/line_output.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace amt {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr std::size_t kFilePieceOctetsMax = std::size_t{1} << 20;

SysResult<UniqueFd> open_path(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, kFileMode));
  if (!fd) return Unexpected<SysError>(SysError::last("open", path));
  return fd;
}

std::size_t piece_octets_of(int fd) {
  struct stat status {};
  const bool is_file = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  return is_file ? kFilePieceOctetsMax : PIPE_BUF;
}

bool has_room(int fd, Duration wait) {
  pollfd wanted{fd, POLLOUT, 0};
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
  return ::poll(&wanted, 1, static_cast<int>(milliseconds)) > 0;
}

/// The longest piece of whole lines within `octets_max`; of a line that is longer than that the beginning.
std::size_t piece_of(std::string_view lines, std::size_t octets_max) {
  if (lines.size() <= octets_max) return lines.size();
  const std::size_t end = lines.rfind('\n', octets_max - 1);
  return end == std::string_view::npos ? octets_max : end + 1;
}

}  // namespace

LineOutput::LineOutput(std::string path, UniqueFd fd)
    : path_(std::move(path)),
      own_(std::move(fd)),
      fd_(own_ ? own_.get() : STDOUT_FILENO),
      piece_octets_max_(piece_octets_of(fd_)) {}

SysResult<LineOutput> LineOutput::open(const std::string& path) {
  if (path == "-") return LineOutput(path, UniqueFd());
  SysResult<UniqueFd> fd = open_path(path);
  if (!fd) return Unexpected<SysError>(fd.error());
  return LineOutput(path, std::move(*fd));
}

void LineOutput::wait_for_room(Duration at_most) const { static_cast<void>(has_room(fd_, at_most)); }

LineOutput::Outcome LineOutput::write(std::string& lines) {
  std::size_t done = 0;
  Outcome result = Outcome::kWritten;
  while (done < lines.size()) {
    // Standard output may block, and others may have it open: its flags are left alone.
    if (!has_room(fd_, Duration::zero())) {
      result = Outcome::kFull;
      break;
    }
    const std::string_view rest = std::string_view(lines).substr(done);
    const ssize_t written = ::write(fd_, rest.data(), piece_of(rest, piece_octets_max_));
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      result = errno == EAGAIN ? Outcome::kFull : Outcome::kFailed;
      error_ = SysError::last("write", path_);
      break;
    }
  }
  if (done != 0) {
    const std::string_view written = std::string_view(lines).substr(0, done);
    const std::size_t end = written.rfind('\n');
    if (end == std::string_view::npos) {
      begun_ += written;
    } else {
      begun_ = written.substr(end + 1);
    }
    lines.erase(0, done);
  }
  return result;
}

}  // namespace amt
