#pragma once
#include <string_view>

#include "cli/serve_site.hh"

namespace amt {

/// `/hls/SOURCE@GROUP:PORT/...`: the playlists and segments of a channel. `rest`: the path behind `/hls/`.
void serve_hls(ServeSite& site, const HttpRequest& request, std::string_view rest, const HttpRespond& respond);

}  // namespace amt
