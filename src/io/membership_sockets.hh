#pragma once
/// The sockets behind `NativeMembership`: the kernel's limits per socket are known here and nowhere else.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "amt/channel.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Places single joins on as many sockets as it takes. The sockets are never bound, so they never receive anything.
class MembershipSockets {
 public:
  class Socket;

  explicit MembershipSockets(int interface_index);
  ~MembershipSockets();

  /// Where the join now stands. With a source: INCLUDE; without: EXCLUDE({}).
  SysResult<Socket*> join(const Channel& channel);
  /// Undoes a `join` of exactly this channel; `socket` may be gone afterwards.
  void leave(Socket& socket, const Channel& channel);

  /// On a socket that joined the group without a source. False when the kernel takes no more.
  bool block(Socket& socket, const IpAddress& group, const IpAddress& source);
  void unblock(Socket& socket, const IpAddress& group, const IpAddress& source);

  [[nodiscard]] std::size_t size() const { return sockets_.size(); }

 private:
  [[nodiscard]] int request(const Socket& socket, int option, const Channel& channel) const;
  [[nodiscard]] SysError failed(const Channel& channel, int code) const;

  int interface_index_;
  std::string interface_name_;
  /// Of both families; the newest, which most likely has room, last.
  std::vector<std::unique_ptr<Socket>> sockets_;
};

}  // namespace amt
