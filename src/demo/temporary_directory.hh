#pragma once
#include <filesystem>

#include "sys/error.hh"

namespace amt {

/// A directory of our own in the system's place for such ($TMPDIR), gone with this object. Move-only.
class TemporaryDirectory {
 public:
  static SysResult<TemporaryDirectory> create();
  ~TemporaryDirectory();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace amt
