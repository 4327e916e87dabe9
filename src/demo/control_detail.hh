#pragma once
#include <string>

#include "wire/message.hh"

namespace amt {

/// The contents of a control message, in a few words for a person; empty when it says nothing beyond its type.
[[nodiscard]] std::string describe_control(wire::MessageType type, Bytes message);

}  // namespace amt
