#pragma once
/// Where whole lines go: a file that is appended to, a pipe, standard output.

#include <cstdint>
#include <string>
#include <string_view>

#include "amt/time.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Never waits. A file gets all lines in one call, so that others may append to it, too; another output gets at most as
/// much as a pipe takes whole. Not thread-safe.
class LineOutput {
 public:
  /// `-`: standard output. A file is made where there is none, and appended to where there is. Error: it cannot be
  /// opened, such as a FIFO without a reader.
  static SysResult<LineOutput> open(const std::string& path);

  enum class Outcome : std::uint8_t {
    kWritten,  ///< all
    kFull,     ///< a pipe takes no more now
    kFailed,   ///< `error`
  };
  /// Takes the written part from the front of `lines`, perhaps a part of a line.
  [[nodiscard]] Outcome write(std::string& lines);
  [[nodiscard]] const SysError& error() const { return error_; }
  /// After `kFull`: returns when there is room, or after this long.
  void wait_for_room(Duration at_most) const;

  /// The part that has been written of a line whose rest is still to come. The output that replaces this one begins
  /// with it.
  [[nodiscard]] const std::string& begun() const { return begun_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  LineOutput(std::string path, UniqueFd fd);

  std::string path_;
  /// None: standard output.
  UniqueFd own_;
  int fd_;
  std::size_t piece_octets_max_;
  std::string begun_;
  SysError error_;
};

}  // namespace amt
