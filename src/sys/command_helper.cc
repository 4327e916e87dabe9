#include "sys/command_helper.hh"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/assert.hh"

namespace amt {
namespace {

constexpr unsigned char kKill = 255;
/// While a command runs, the helper looks so often whether its owner wants it killed, or is gone.
constexpr Duration kLookInterval = std::chrono::milliseconds(20);

/// Of the helper: its owner's next message, a word's number or `kKill`. Nothing: the owner is gone, or sends nothing
/// now.
std::optional<unsigned char> hear(int channel, int flags, bool& is_gone) {
  unsigned char octet = 0;
  ssize_t got = 0;
  do {
    got = ::recv(channel, &octet, sizeof octet, flags);
  } while (got < 0 && errno == EINTR);
  is_gone = got == 0 || (got < 0 && errno != EAGAIN);
  if (got != sizeof octet) return std::nullopt;
  return octet;
}

/// Until it ends, the owner wants it killed, or is gone.
CommandHelper::Ended run_to_its_end(int channel, const std::vector<std::string>& arguments) {
  SysResult<Process> process = Process::spawn({.arguments = arguments});
  if (!process) return {0, process.error().code};
  for (;;) {
    if (const std::optional<ExitStatus> ended = process->wait(kLookInterval)) return {ended->code, 0};
    bool is_gone = false;
    if (hear(channel, MSG_DONTWAIT, is_gone) == kKill || is_gone) {
      return {process->terminate(Duration::zero()).code, 0};
    }
  }
}

void run_alone(const std::vector<std::string>& arguments) {
  SysResult<Process> process = Process::spawn({.arguments = arguments});
  if (process && !process->wait(CommandHelper::kFarewellPatience)) process->terminate(Duration::zero());
}

/// The helper's whole life.
int serve(int channel, const std::string& command, const std::vector<std::string>& words,
          std::optional<std::size_t> farewell) {
  // It hears of its owner's death by the channel, and has something to say then.
  if (farewell) ::prctl(PR_SET_PDEATHSIG, 0);
  // Ctrl-C is meant for the owner, which may still have a message to send. The command itself has no signal blocked.
  sigset_t endings;
  ::sigemptyset(&endings);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&endings, signal);
  ::sigprocmask(SIG_BLOCK, &endings, nullptr);
  constexpr int kOnlyChannel = STDERR_FILENO + 1;
  if (channel != kOnlyChannel && ::dup3(channel, kOnlyChannel, O_CLOEXEC) < 0) return 1;
  ::close_range(kOnlyChannel + 1, ~0U, 0);
  bool is_gone = false;
  std::optional<std::size_t> last;
  while (!is_gone) {
    const std::optional<unsigned char> word = hear(kOnlyChannel, 0, is_gone);
    if (!word || *word >= words.size()) continue;
    last = *word;
    const CommandHelper::Ended ended = run_to_its_end(kOnlyChannel, {command, words[*word]});
    is_gone = ::send(kOnlyChannel, &ended, sizeof ended, MSG_NOSIGNAL) < 0;
  }
  if (last && farewell && last != farewell) run_alone({command, words[*farewell]});
  return 0;
}

}  // namespace

SysResult<CommandHelper> CommandHelper::start(std::string command, std::vector<std::string> words,
                                              std::optional<std::size_t> farewell) {
  AMT_ASSERT(words.size() <= kWordsMax && farewell.value_or(0) < words.size());
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return tl::unexpected(SysError::last("socketpair", std::move(command)));
  }
  UniqueFd channel(ends[0]);
  const UniqueFd theirs(ends[1]);
  SysResult<Process> helper = Process::fork([&] { return serve(theirs.get(), command, words, farewell); });
  if (!helper) return tl::unexpected(helper.error());
  return CommandHelper(std::move(channel), std::move(*helper));
}

SysResult<void> CommandHelper::run(std::size_t word) {
  const auto octet = static_cast<unsigned char>(word);
  if (::send(channel_.get(), &octet, sizeof octet, MSG_NOSIGNAL) == sizeof octet) return {};
  return tl::unexpected(SysError::last("ask the helper"));
}

std::optional<CommandHelper::Ended> CommandHelper::wait(Duration at_most) const {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
  pollfd readable{channel_.get(), POLLIN, 0};
  if (::poll(&readable, 1, static_cast<int>(std::clamp<decltype(milliseconds)>(milliseconds, 0, 1'000'000))) <= 0) {
    return std::nullopt;
  }
  Ended ended;
  if (::recv(channel_.get(), &ended, sizeof ended, 0) != sizeof ended) return Ended{0, EPIPE};
  return ended;
}

void CommandHelper::kill() const { static_cast<void>(::send(channel_.get(), &kKill, sizeof kKill, MSG_NOSIGNAL)); }

}  // namespace amt
