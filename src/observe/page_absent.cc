/// Without AMT_PAGE: the daemons answer with metrics, status and health, and have no page for browsers; `amt serve` neither.

#include "observe/page.hh"

namespace amt {

std::span<const PageFile> page_files() { return {}; }
std::span<const PageFile> serve_page_files() { return {}; }

}  // namespace amt
