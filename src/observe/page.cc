#include "observe/page.hh"

#include <string>
#include <vector>

#include "observe/counter_tables.hh"
#include "observe/page_data.hh"

namespace amt {

std::span<const PageFile> page_files() {
  static const std::string counters = counters_json();
  static const std::vector<PageFile> files = {
      {"/", "text/html; charset=utf-8", kPageIndexHtml},
      {"/page.css", "text/css; charset=utf-8", kPagePageCss},
      {"/page.js", "text/javascript; charset=utf-8", kPagePageJs},
      {"/plot.js", "text/javascript; charset=utf-8", kPagePlotJs},
      {"/tables.js", "text/javascript; charset=utf-8", kPageTablesJs},
      {"/icon.svg", "image/svg+xml", kPageIconSvg},
      {"/counters.json", "application/json", counters},
  };
  return files;
}

std::span<const PageFile> serve_page_files() {
  static const std::vector<PageFile> files = {
      {"/", "text/html; charset=utf-8", kPageServeHtml},
      {"/serve.css", "text/css; charset=utf-8", kPageServeCss},
      {"/serve.js", "text/javascript; charset=utf-8", kPageServeJs},
      {"/player.js", "text/javascript; charset=utf-8", kPagePlayerJs},
      {"/mpegts.js", "text/javascript; charset=utf-8", kPageMpegtsJs},
      {"/icon.svg", "image/svg+xml", kPageIconSvg},
  };
  return files;
}

}  // namespace amt
