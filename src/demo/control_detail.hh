#pragma once
#include <string>

#include "wire/message.hh"

namespace amt {

/// What a control message says, in a few words for a person; empty when it says nothing beyond its type.
[[nodiscard]] std::string describe_control(wire::MessageType type, Bytes message);

}  // namespace amt
