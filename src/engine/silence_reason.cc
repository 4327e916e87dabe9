#include "engine/silence_reason.hh"

#include <cstring>

#include "client/silence_reason.hh"

namespace amt {

std::string reason_of_silence(const GatewayConnection& tunnel) {
  return reason_of_silence(tunnel.gateway(), tunnel.send_error() != 0 ? std::strerror(tunnel.send_error()) : "");
}

}  // namespace amt
