#pragma once
#include <string>

#include "demo/video.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// This very program, to be run again with other arguments.
class Self {
 public:
  static SysResult<Self> find();

  [[nodiscard]] CommandLine with(CommandLine arguments) const;
  /// The same without any capability, as an ordinary user runs it.
  [[nodiscard]] CommandLine without_privileges(CommandLine arguments) const;

 private:
  explicit Self(UniqueFd file);
  /// Children inherit it: without privileges even root may not reach the file by its name, in a user's home.
  UniqueFd file_;
  std::string path_;
};

}  // namespace amt
