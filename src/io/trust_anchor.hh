#pragma once
/// Where the checking of DNS signatures begins.

#include <optional>
#include <string>

namespace amt {

/// The file in which the distribution keeps the root's keys; nothing: there is none.
[[nodiscard]] std::optional<std::string> root_anchor_file();

/// The name whose key the file holds: the first word that is no comment.
[[nodiscard]] std::string anchor_name(const std::string& path);

}  // namespace amt
