#pragma once
/// The files of src/observe/page, put into the program by tools/embed_page.py.

#include <string_view>

namespace amt {

extern const std::string_view kPageIndexHtml;
extern const std::string_view kPagePageCss;
extern const std::string_view kPagePageJs;
extern const std::string_view kPagePlotJs;
extern const std::string_view kPageTablesJs;
extern const std::string_view kPageIconSvg;

}  // namespace amt
