#include "demo/preconditions.hh"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

#include "demo/waiting.hh"
#include "sys/namespace.hh"
#include "sys/process.hh"

namespace amt {
namespace {

constexpr const char* kTun = "/dev/net/tun";

DemoResult<void> need_program(const std::string& program, const std::string& option, const std::string& package) {
  const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  SysResult<Process> process = Process::spawn({.arguments = {program, option},
                                               .standard_input = nothing.get(),
                                               .standard_output = nothing.get(),
                                               .standard_error = nothing.get()});
  if (process) {
    const DemoResult<void> ended =
        wait_for(program, std::chrono::seconds(20), [&] { return process->wait(Duration::zero()).has_value(); });
    if (ended || stop_requested()) return ended;
  }
  return demo_failure(fmt::format("{} cannot be run ({}); install it: apt install {}", program,
                                  process ? "it does not end" : process.error().to_string(), package));
}

DemoResult<void> need_namespaces() {
  if (NetworkNamespace::create()) return {};
  const SysResult<void> entered = enter_user_namespace();
  const SysResult<NetworkNamespace> made =
      entered ? NetworkNamespace::create() : SysResult<NetworkNamespace>(tl::unexpected(entered.error()));
  if (made) return {};
  return demo_failure(
      fmt::format("this user may not make network namespaces ({}); run it as root, or allow user namespaces: "
                  "sysctl kernel.unprivileged_userns_clone=1 (Debian), "
                  "kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), user.max_user_namespaces above 0",
                  made.error().to_string()));
}

std::optional<std::string> why_no_interface() {
  const UniqueFd tun(::open(kTun, O_RDWR | O_CLOEXEC));
  if (tun) return std::nullopt;
  const SysError error = SysError::last("open", kTun);
  return fmt::format("{}; {}", error.to_string(),
                     error.code == EACCES || error.code == EPERM
                         ? "run it as root, or let users have it as Debian does: chmod 0666 /dev/net/tun"
                         : "load the driver: modprobe tun");
}

}  // namespace

DemoResult<Preconditions> check_preconditions() {
  if (DemoResult<void> found = need_program("ffmpeg", "-version", "ffmpeg"); !found) {
    return tl::unexpected(found.error());
  }
  if (DemoResult<void> found = need_program("setpriv", "--version", "util-linux"); !found) {
    return tl::unexpected(found.error());
  }
  if (DemoResult<void> allowed = need_namespaces(); !allowed) return tl::unexpected(allowed.error());
  return Preconditions{why_no_interface()};
}

}  // namespace amt
