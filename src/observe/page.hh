#pragma once
/// The files of the page for browsers, as they stand in src/observe/page and src/observe/serve_page, and the data made
/// for it from the counter tables.

#include <span>
#include <string_view>

namespace amt {

struct PageFile {
  std::string_view path;  ///< of the URL
  std::string_view content_type;
  std::string_view text;
};

/// They live as long as the program.
[[nodiscard]] std::span<const PageFile> page_files();
/// Those of the page of `amt serve`.
[[nodiscard]] std::span<const PageFile> serve_page_files();

}  // namespace amt
