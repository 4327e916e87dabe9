#pragma once
/// Which files a thread may still open (Landlock, Linux 5.13; landlock(7)).

#include <string>
#include <vector>

#include "sys/error.hh"

namespace amt {

/// All other files are refused, for reading and writing. Open files stay open. Of a directory: all below it. A file
/// that is replaced by another of its name counts as another file, so name its directory. Paths that are not there are
/// left out.
struct FileAccess {
  std::vector<std::string> readable;
  /// Also to create, to cut and to remove files and sockets in, but no devices, links or programs.
  std::vector<std::string> writable;
};

/// Of the calling thread and those that it starts from now on; needs no_new_privs. Nothing may be executed afterwards.
/// Error ENOSYS or EOPNOTSUPP: this kernel has no Landlock.
SysResult<void> restrict_files(const FileAccess& access);

}  // namespace amt
