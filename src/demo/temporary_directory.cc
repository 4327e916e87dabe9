#include "demo/temporary_directory.hh"

#include <stdlib.h>

#include <system_error>
#include <utility>

namespace amt {

SysResult<TemporaryDirectory> TemporaryDirectory::create() {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
  if (error) return tl::unexpected(SysError{"find", "temporary directory", error.value()});
  std::string name = parent / "amt-demo-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return tl::unexpected(SysError::last("mkdtemp", name));
  return TemporaryDirectory(name);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TemporaryDirectory& TemporaryDirectory::operator=(TemporaryDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

}  // namespace amt
