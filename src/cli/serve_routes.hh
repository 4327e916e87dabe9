#pragma once
/// The paths of `amt serve`.

#include "cli/serve_site.hh"

namespace amt {

/// `site` outlives the routes.
[[nodiscard]] HttpRoutes make_serve_routes(ServeSite& site);

}  // namespace amt
