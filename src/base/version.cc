#include "amt/version.hh"

namespace amt {

std::string_view version() { return AMT_VERSION; }

}  // namespace amt
