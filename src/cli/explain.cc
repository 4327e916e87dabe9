#include "cli/explain.hh"

#include <fmt/format.h>

#include <cerrno>

#include "engine/relay/upstream.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

/// `ADDR:PORT` as `bind` names it: the part after the last colon.
std::string port_of(const std::string& object) { return object.substr(object.rfind(':') + 1); }

constexpr const char* kCapabilities = "run as root, or give the program the capabilities (CAP_NET_ADMIN, CAP_NET_RAW)";

std::string mend_open(const SysError& error) {
  // A user's file: the reason says it all.
  if (error.object != "/dev/net/tun") return {};
  return error.code == EACCES || error.code == EPERM ? kCapabilities : "load the kernel's tun module (modprobe tun)";
}

/// The bridge, bond or gateway stands last.
std::string mend_upstream(const SysError& error) {
  if (error.object.find(" a port of ") == std::string::npos)
    return "this relay's own data would come back there; name the interface on which the sources are";
  return fmt::format("nothing arrives on its ports; use --upstream {}",
                     error.object.substr(error.object.rfind(' ') + 1));
}

std::string mend(const SysError& error) {
  if (error.call == "open") return mend_open(error);
  if (error.call == kUpstreamRefused) return mend_upstream(error);
  const bool is_http = error.call == "--http" || error.call == "--listen";
  const bool is_bind = error.call == "bind" || is_http;
  switch (error.code) {
    case EADDRINUSE:
      if (is_bind)
        return fmt::format("{} port {} is in use by another program; stop it or choose another port",
                           is_http ? "TCP" : "UDP", port_of(error.object));
      return {};
    case EADDRNOTAVAIL:
      if (is_bind) return "this host has no such address; add it to an interface (ip address add) or name another";
      return {};
    case EACCES:
      if (is_bind)
        return fmt::format("port {} needs privileges; choose one from 1024 on, or run as root", port_of(error.object));
      return kCapabilities;
    case EPERM:
      return kCapabilities;
    case ENODEV:
    case ENXIO:
      return fmt::format("no such interface; there are: {}", interface_names());
    case EINVAL:
      // The error of TUNSETIFF for an interface of another kind.
      if (error.call != "create interface") return {};
      [[fallthrough]];
    case EBUSY:
      return "an interface of that name exists already; choose another with --interface";
    default:
      return {};
  }
}

}  // namespace

std::string interface_names() {
  constexpr std::size_t kShownMax = 8;
  std::string names;
  const SysResult<std::vector<LinkInfo>> links = list_links();
  if (!links) return names;
  for (std::size_t i = 0; i < links->size() && i < kShownMax; ++i) names += (i == 0 ? "" : ", ") + (*links)[i].name;
  if (links->size() > kShownMax) names += ", ...";
  return names;
}

std::string explain(const SysError& error) {
  const std::string text = mend(error);
  return text.empty() ? error.to_string() : fmt::format("{} ({})", error.to_string(), text);
}

}  // namespace amt
