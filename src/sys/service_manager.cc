#include "sys/service_manager.hh"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sys/unique_fd.hh"

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

void notify(std::string_view message) {
  const std::string name = notify_socket_name();
  NotifyAddress address;
  if (name.empty() || name.size() >= sizeof address.un.sun_path) return;
  address.un.sun_family = AF_UNIX;
  std::memcpy(address.un.sun_path, name.data(), name.size());
  if (name[0] == '@') address.un.sun_path[0] = '\0';
  // Whether anybody listens changes nothing for this process.
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return;
  const auto octets = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  static_cast<void>(::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL, &address.any, octets));
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
