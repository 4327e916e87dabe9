/// Without AMT_PAGE: the daemons answer with metrics, status and health, `amt serve` with channels; there is no page
/// for browsers.

#include "observe/page.hh"

namespace amt {

std::span<const PageFile> page_files() { return {}; }
std::span<const PageFile> serve_page_files() { return {}; }

}  // namespace amt
