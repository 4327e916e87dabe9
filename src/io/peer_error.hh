#pragma once
/// Which errors of a socket may come of ICMP.

#include <algorithm>
#include <array>
#include <cerrno>

namespace amt {

/// Errors that an ICMP message about one peer leaves on the socket (X-3.5-a): the next call of any kind returns them,
/// and does nothing else.
inline bool concerns_one_peer(int code) {
  constexpr std::array kCodes = {ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN,  ENONET,
                                 EMSGSIZE,     EPROTO,       ENOPROTOOPT, EOPNOTSUPP, EACCES};
  return std::ranges::find(kCodes, code) != kCodes.end();
}

/// How often one send is tried. Each try takes away one error that was left on the socket; an error that stays is the
/// send's own. ICMP errors may be forged, in any number: they must not cost another peer's message.
class SendTries {
 public:
  /// Enough for errors that come faster than sends.
  static constexpr int kTriesMax = 16;
  /// Where a send can have this error of itself, too: no route, a rule that forbids it, a small MTU.
  static constexpr int kOwnErrorsMax = 3;

  /// Whether a send that failed with `code` is to be tried once more.
  [[nodiscard]] bool again(int code) {
    const int last = last_;
    last_ = code;
    if (++tries_ == kTriesMax || !concerns_one_peer(code)) return false;
    // EMSGSIZE twice running is the message's own: not worth copying 64 KB a third time.
    if (code == EMSGSIZE) return last != EMSGSIZE;
    if (code != ENETUNREACH && code != EHOSTUNREACH && code != EACCES) return true;
    return ++own_errors_ < kOwnErrorsMax;
  }

 private:
  int tries_ = 0;
  int own_errors_ = 0;
  int last_ = 0;
};

}  // namespace amt
