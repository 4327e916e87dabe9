#pragma once
/// The file side of a control socket: made for its owner and group only, found again when its process died, removed at
/// the end.

#include <sys/types.h>

#include <string>

#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// A listening UNIX stream socket at a path. The file is removed with this object, unless it was replaced.
class ControlSocket {
 public:
  /// Mode 0660. Creates the directory when that alone is missing. A socket without a listener is replaced; EADDRINUSE:
  /// it has one, or the path is another kind of file.
  static SysResult<ControlSocket> listen(const std::string& path);
  /// One that `listen` of another process made, at the path that it has. Its file is not this object's until
  /// `set_kept(false)` says so. Error EINVAL: it has none.
  static SysResult<ControlSocket> adopt(UniqueFd fd);
  ~ControlSocket();
  ControlSocket(ControlSocket&&) noexcept = default;
  ControlSocket& operator=(ControlSocket&&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Kept, the file stays when this object goes: it is another process's.
  void set_kept(bool kept) { is_kept_ = kept; }
  /// Gives the descriptor to another owner; the file stays in this one's care.
  [[nodiscard]] UniqueFd take_descriptor() { return std::move(fd_); }

 private:
  ControlSocket(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  SysResult<void> remember_file();
  UniqueFd fd_;
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  bool is_kept_ = false;
};

}  // namespace amt
