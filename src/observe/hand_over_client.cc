#include "observe/hand_over_client.hh"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sys/clock.hh"

namespace amt {
namespace {

constexpr Duration kPatience = std::chrono::seconds(5);
constexpr std::size_t kAnswerOctetsMax = 8192;

SysResult<UniqueFd> connect_to(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return tl::unexpected(SysError{"control socket", path, ENAMETOOLONG});
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return tl::unexpected(SysError::last("socket", path));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return tl::unexpected(SysError::last("connect", path));
  }
  return fd;
}

/// An answer, octet by octet: what follows its head is not for whoever reads that.
struct Answer {
  std::string text;
  std::vector<UniqueFd> descriptors{};

  [[nodiscard]] bool has_head() const { return text.ends_with("\r\n\r\n"); }
};

/// One octet more, and the descriptor that came with it. False: there is none.
bool read_octet(int fd, Instant until, Answer& into) {
  SysResult<std::optional<DescriptorMessage>> got = receive_message(fd, 1, until - monotonic_now());
  if (!got || !*got) return false;
  into.text += static_cast<char>((*got)->octets.front());
  for (UniqueFd& one : (*got)->descriptors) into.descriptors.push_back(std::move(one));
  return true;
}

/// What the daemon says of a refusal: `{"error":"..."}` somewhere in its answer.
std::string reason_in(int fd, Instant until, Answer& answer) {
  while (answer.text.size() < kAnswerOctetsMax && !answer.text.ends_with("}") && read_octet(fd, until, answer)) {
  }
  constexpr std::string_view kKey = R"({"error":")";
  const std::size_t key = answer.text.find(kKey);
  const std::size_t end = answer.text.rfind('"');
  if (key == std::string::npos || end < key + kKey.size()) return {};
  return answer.text.substr(key + kKey.size(), end - key - kKey.size());
}

}  // namespace

SysResult<DescriptorChannel> ask_for_hand_over(const std::string& path, std::string& why) {
  SysResult<UniqueFd> socket = connect_to(path);
  if (!socket) return tl::unexpected(socket.error());
  const Instant until = monotonic_now() + kPatience;
  const std::string request = std::string("POST ") + kHandOverPath +
                              " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: amt-hand-over\r\n\r\n";
  if (::send(socket->get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return tl::unexpected(SysError::last("ask", path));
  }
  Answer answer;
  while (!answer.has_head()) {
    if (answer.text.size() >= kAnswerOctetsMax || !read_octet(socket->get(), until, answer)) {
      return tl::unexpected(SysError{"ask", path, EPROTO});
    }
  }
  constexpr std::string_view kSwitches = "HTTP/1.1 101 ";
  if (!answer.text.starts_with(kSwitches)) {
    why = reason_in(socket->get(), until, answer);
    return tl::unexpected(SysError{"ask", path, EBUSY});
  }
  if (!read_octet(socket->get(), until, answer) || answer.descriptors.empty()) {
    return tl::unexpected(SysError{"ask", path, EACCES});
  }
  return DescriptorChannel(std::move(answer.descriptors.front()));
}

}  // namespace amt
