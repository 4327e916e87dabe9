#pragma once
/// Reports when interfaces, addresses or routes of this host change (netlink, rtnetlink(7)).

#include <cstdint>

#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// The caller looks the changes up; they come in bursts.
class NetworkWatch {
 public:
  enum class Of : std::uint8_t {
    kWays,        ///< addresses and routes: how others are reached
    kInterfaces,  ///< these, and links, ports of bridges, and the IPv4 settings of interfaces (rp_filter)
  };
  static SysResult<NetworkWatch> open(Of what = Of::kWays);

  /// Readable when something changed.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Takes all that there is to read.
  void drain() const;

 private:
  explicit NetworkWatch(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace amt
