#pragma once
/// The files of src/observe/page and src/observe/serve_page, put into the program by tools/embed_page.py.

#include <string_view>

namespace amt {

extern const std::string_view kPageIndexHtml;
extern const std::string_view kPagePageCss;
extern const std::string_view kPagePageJs;
extern const std::string_view kPagePlotJs;
extern const std::string_view kPageTablesJs;
extern const std::string_view kPageIconSvg;

extern const std::string_view kPageServeHtml;
extern const std::string_view kPageServeCss;
extern const std::string_view kPageServeJs;
extern const std::string_view kPagePlayerJs;
/// The library mpegts.js; empty where it was not there at the build (`npm ci` in src/observe/serve_page).
extern const std::string_view kPageMpegtsJs;

}  // namespace amt
