#pragma once
/// Octet 0 of every message: version in the high nibble, type in the low one. For the room `wire` alone.

#include "wire/message.hh"

namespace amt::wire {

/// A reader behind octet 0, when the message is of this type and has at least `octets_min` octets in all.
[[nodiscard]] Result<ByteReader, ParseError> open_message(Bytes message, MessageType type, std::size_t octets_min);

/// Version 0 and the type.
void write_first_octet(ByteWriter& out, MessageType type);

}  // namespace amt::wire
