#pragma once
#include <string>

#include "sys/descriptor_channel.hh"
#include "sys/error.hh"

namespace amt {

/// The request for a daemon's state and descriptors: `POST /hand-over` of its control socket. The answer is 101, and
/// then one octet with one end of a `DescriptorChannel`.
inline constexpr const char* kHandOverPath = "/hand-over";

/// Asks the daemon behind the control socket at `path` to hand over. Blocks for 5 s at most. Errors: ENOENT or
/// ECONNREFUSED: none runs there; EACCES: not for this user; EBUSY: it cannot now, see `why`; EPROTO: it cannot at all.
[[nodiscard]] SysResult<DescriptorChannel> ask_for_hand_over(const std::string& path, std::string& why);

}  // namespace amt
