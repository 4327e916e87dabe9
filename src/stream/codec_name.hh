#pragma once
/// A browser's name of a codec with its profile (RFC 6381): the CODECS of an HLS playlist.

#include <string>

#include "stream/program_map.hh"

namespace amt {

/// `elementary`: the start of an access unit of a stream of that kind; of video, one with parameter sets. Empty: not in
/// it, or a codec that has no such name.
[[nodiscard]] std::string codec_name(StreamKind kind, Bytes elementary);

}  // namespace amt
