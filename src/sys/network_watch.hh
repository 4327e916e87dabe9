#pragma once
/// Tells when addresses or routes of this host change (netlink, rtnetlink(7)).

#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// What changed has to be looked up; changes come in bursts.
class NetworkWatch {
 public:
  static SysResult<NetworkWatch> open();

  /// Readable when something changed.
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Takes all that there is to read.
  void drain() const;

 private:
  explicit NetworkWatch(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace amt
