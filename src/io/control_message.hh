#pragma once
/// Ancillary data of recvmsg(2).

#include <sys/socket.h>

#include <cstring>
#include <optional>

namespace amt {

template <typename T>
std::optional<T> control_value(const cmsghdr& message) {
  if (message.cmsg_len < CMSG_LEN(sizeof(T))) return std::nullopt;
  T value{};
  std::memcpy(&value, CMSG_DATA(&message), sizeof value);
  return value;
}

}  // namespace amt
