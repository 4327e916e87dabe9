#pragma once
/// Files with secrets in them.

#include <array>
#include <string>
#include <string_view>

#include "amt/result.hh"

namespace amt {

/// What such a file holds; overwritten at the end.
class PrivateContent {
 public:
  static constexpr std::size_t kOctetsMax = 4096;

  PrivateContent() = default;
  PrivateContent(const PrivateContent&) = delete;
  PrivateContent& operator=(const PrivateContent&) = delete;
  ~PrivateContent();

  /// A regular file of this process's user or root, which others may neither read nor write. Error: what is wrong, to
  /// stand behind its name.
  [[nodiscard]] Result<void, std::string> read(const std::string& path);
  /// One octet more than `kOctetsMax`: there was more.
  [[nodiscard]] std::string_view text() const { return {octets_.data(), size_}; }

 private:
  std::array<char, kOctetsMax + 1> octets_{};
  std::size_t size_ = 0;
};

}  // namespace amt
