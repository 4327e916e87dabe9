#include "sys/service_manager.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>

#include "sys/descriptor_channel.hh"

namespace amt {
namespace {

union NotifyAddress {
  sockaddr any;
  sockaddr_un un{};
};

/// The path of a socket, or with `@` in the place of the first octet an abstract name.
std::string notify_socket_name() {
  const char* const name = std::getenv("NOTIFY_SOCKET");  // allow: systemd's way to name it
  if (name == nullptr || (name[0] != '/' && name[0] != '@') || name[1] == '\0') return {};
  return name;
}

/// Error ENOENT: there is no service manager. `descriptor`: goes with it, or -1.
SysResult<void> notify_with(std::string_view message, int descriptor) {
  const std::string name = notify_socket_name();
  NotifyAddress address;
  if (name.empty() || name.size() >= sizeof address.un.sun_path)
    return tl::unexpected(SysError{"notify", name, ENOENT});
  address.un.sun_family = AF_UNIX;
  std::memcpy(address.un.sun_path, name.data(), name.size());
  if (name[0] == '@') address.un.sun_path[0] = '\0';
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto octets = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (!fd || ::connect(fd.get(), &address.any, octets) != 0) return tl::unexpected(SysError::last("notify", name));
  return send_message(fd.get(), std::as_bytes(std::span(message)), {&descriptor, descriptor >= 0 ? 1U : 0U});
}

void notify(std::string_view message) {
  // Whether anybody listens changes nothing for this process.
  static_cast<void>(notify_with(message, -1));
}

template <typename Number>
std::optional<Number> environment_number(const char* name) {
  const char* const text = std::getenv(name);  // allow: systemd's way to say it
  if (text == nullptr) return std::nullopt;
  const std::string_view digits(text);
  Number number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

void notify_ready(std::string_view status) {
  std::string line(status);
  // One assignment a line.
  std::ranges::replace(line, '\n', ' ');
  notify("READY=1\nSTATUS=" + line);
}

void notify_main_process(int pid) { notify("MAINPID=" + std::to_string(pid)); }

SysResult<void> store_descriptor(int descriptor, const std::string& name) {
  // Without FDPOLL=0 it would be dropped as soon as the other end is closed.
  const SysResult<void> stored = notify_with("FDSTORE=1\nFDPOLL=0\nFDNAME=" + name, descriptor);
  if (!stored) return stored;
  // Systemd takes messages of a process that lives: it closes this end when it has come so far.
  constexpr int kPatienceMilliseconds = 1000;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return tl::unexpected(SysError::last("pipe"));
  const UniqueFd mine(ends[0]);
  UniqueFd theirs(ends[1]);
  if (const SysResult<void> asked = notify_with("BARRIER=1", theirs.get()); !asked) return asked;
  theirs.reset();
  pollfd closed{mine.get(), 0, 0};
  static_cast<void>(::poll(&closed, 1, kPatienceMilliseconds));
  return {};
}

std::optional<UniqueFd> take_stored_descriptor(std::string_view name) {
  constexpr int kFirst = 3;
  const std::optional<pid_t> meant = environment_number<pid_t>("LISTEN_PID");
  const std::optional<unsigned> count = environment_number<unsigned>("LISTEN_FDS");
  const char* const names = std::getenv("LISTEN_FDNAMES");  // allow: systemd's way to say it
  if (meant != ::getpid() || !count || names == nullptr) return std::nullopt;
  std::string_view rest(names);
  for (unsigned i = 0; i < *count; ++i) {
    const std::string_view one = rest.substr(0, rest.find(':'));
    const int descriptor = kFirst + static_cast<int>(i);
    if (one == name && ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0) return UniqueFd(descriptor);
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
  }
  return std::nullopt;
}

void forget_descriptor(const std::string& name) { notify("FDSTOREREMOVE=1\nFDNAME=" + name); }

void notify_stopping() { notify("STOPPING=1"); }
void notify_alive() { notify("WATCHDOG=1"); }

std::optional<Duration> watchdog_interval() {
  const std::optional<std::uint64_t> microseconds = environment_number<std::uint64_t>("WATCHDOG_USEC");
  if (!microseconds || *microseconds == 0) return std::nullopt;
  // A child of the service inherits the variables, and is not the one that is watched.
  const std::optional<pid_t> watched = environment_number<pid_t>("WATCHDOG_PID");
  if (watched && *watched != ::getpid()) return std::nullopt;
  constexpr std::uint64_t kMicrosecondsMax = 86'400'000'000;
  return std::chrono::microseconds(std::min(*microseconds, kMicrosecondsMax) / 2);
}

}  // namespace amt
