#include "cli/relay_arguments.hh"

#include <cerrno>

#include "cli/failure.hh"
#include "cli/wait_for.hh"
#include "sys/netlink.hh"

namespace amt {

HostAddresses look_up_waiting(const std::string& name, Duration wait_max) {
  HostAddresses addresses = look_up_host(name);
  if (addresses || !addresses.error().may_pass) return addresses;
  static_cast<void>(await_condition("the address of the relay " + name, wait_max, [&] {
    addresses = look_up_host(name);
    return addresses || !addresses.error().may_pass;
  }));
  return addresses;
}

std::optional<std::string> unusable_native_interface(const RelayChoice& choice) {
  if (!choice.native_interface) return std::nullopt;
  const SysResult<LinkInfo> link = find_link(*choice.native_interface);
  if (link || link.error().code != ENODEV) return std::nullopt;
  return no_such_interface("--native", *choice.native_interface);
}

}  // namespace amt
