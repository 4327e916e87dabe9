#pragma once
/// Which errors of a socket may come of ICMP.

#include <algorithm>
#include <array>
#include <cerrno>

namespace amt {

/// Errors that an ICMP message about one peer leaves on the socket (X-3.5-a): the next call gets them, whatever it is
/// about, and does nothing else.
inline bool concerns_one_peer(int code) {
  constexpr std::array kCodes = {ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN,  ENONET,
                                 EMSGSIZE,     EPROTO,       ENOPROTOOPT, EOPNOTSUPP, EACCES};
  return std::ranges::find(kCodes, code) != kCodes.end();
}

}  // namespace amt
