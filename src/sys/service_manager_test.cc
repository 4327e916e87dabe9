#include "sys/service_manager.hh"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sys/unique_fd.hh"

namespace amt {
namespace {

/// A variable of the environment, for one test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

/// What systemd would have heard.
class Listener {
 public:
  Listener() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // Named by the kernel, in the abstract space: five hexadecimal digits.
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address.sun_family), 0);
    socklen_t octets = sizeof address;
    EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &octets), 0);
    name_ = "@" + std::string(address.sun_path + 1, octets - sizeof address.sun_family - 1);
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string heard() const {
    std::array<char, 256> text{};
    const ssize_t octets = ::recv(fd_.get(), text.data(), text.size(), MSG_DONTWAIT);
    return octets < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(octets));
  }

 private:
  UniqueFd fd_;
  std::string name_;
};

TEST(ServiceManager, HearsOfStartLifeAndEnd) {
  const Listener systemd;
  const Variable socket("NOTIFY_SOCKET", systemd.name());
  notify_ready("on 192.0.2.1\nREADY=0");
  EXPECT_EQ(systemd.heard(), "READY=1\nSTATUS=on 192.0.2.1 READY=0");
  notify_alive();
  EXPECT_EQ(systemd.heard(), "WATCHDOG=1");
  notify_stopping();
  EXPECT_EQ(systemd.heard(), "STOPPING=1");
}

TEST(ServiceManager, IsNotNeeded) {
  notify_alive();
  for (const char* const name : {"", "@", "relative", "/nobody/listens/here"}) {
    const Variable socket("NOTIFY_SOCKET", name);
    notify_alive();
  }
  const Variable long_name("NOTIFY_SOCKET", "/" + std::string(200, 'a'));
  notify_alive();
}

TEST(ServiceManager, WantsToHearTwiceAPeriod) {
  EXPECT_EQ(watchdog_interval(), std::nullopt);
  const Variable period("WATCHDOG_USEC", "30000000");
  EXPECT_EQ(watchdog_interval(), std::chrono::seconds(15));
  {
    const Variable own("WATCHDOG_PID", std::to_string(::getpid()));
    EXPECT_EQ(watchdog_interval(), std::chrono::seconds(15));
  }
  const Variable others("WATCHDOG_PID", std::to_string(::getppid()));
  EXPECT_EQ(watchdog_interval(), std::nullopt);
}

TEST(ServiceManager, MayWriteNonsense) {
  for (const char* const nonsense : {"", "0", "-1", "12x", "99999999999999999999999"}) {
    const Variable period("WATCHDOG_USEC", nonsense);
    EXPECT_EQ(watchdog_interval(), std::nullopt) << nonsense;
  }
}

}  // namespace
}  // namespace amt
