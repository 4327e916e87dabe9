#include "engine/runtime/log_writer.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <thread>

#include "sys/log.hh"
#include "sys/log_queue.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Stands in the place of stderr.
class LogWriterWithAPipe : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reading_ = UniqueFd(ends[0]);
    kept_ = UniqueFd(::dup(STDERR_FILENO));
    ASSERT_EQ(::dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    ::close(ends[1]);
  }
  void TearDown() override {
    if (kept_) ::dup2(kept_.get(), STDERR_FILENO);
  }

  std::string read_until(const std::string& text) {
    std::string all;
    std::array<char, 4096> part{};
    while (all.find(text) == std::string::npos) {
      pollfd ready{reading_.get(), POLLIN, 0};
      if (::poll(&ready, 1, 10'000) != 1) break;
      const ssize_t octets = ::read(reading_.get(), part.data(), part.size());
      if (octets <= 0) break;
      all.append(part.data(), static_cast<std::size_t>(octets));
    }
    return all;
  }

  UniqueFd reading_;
  UniqueFd kept_;
};

/// Far more than a pipe and the queue hold.
constexpr int kLines = 20'000;
void log_many() {
  const std::string text(200, 'x');
  for (int i = 0; i < kLines; ++i) log_info("line {} {}", i, text);
}

TEST_F(LogWriterWithAPipe, NobodyWaitsForAReaderThatDoesNotRead) {
  LogWriter writer;
  log_info("the first");
  log_many();
  EXPECT_GT(log_queue().lost_in_all(), 0U);
  const std::string read = read_until("lines were lost");
  EXPECT_THAT(read, HasSubstr("info: the first\n"));
  EXPECT_THAT(read, HasSubstr("info: line 0 "));
  EXPECT_THAT(read, HasSubstr("log lines were lost"));
  log_info("what came later");
  EXPECT_THAT(read_until("later\n"), HasSubstr("info: what came later\n"));
}

TEST_F(LogWriterWithAPipe, WritesTheLastLinesBeforeItEnds) {
  std::optional<LogWriter> writer(std::in_place);
  for (int i = 0; i < 100; ++i) log_info("line {}", i);
  writer.reset();
  log_info("without it");
  const std::string read = read_until("without it");
  EXPECT_THAT(read, HasSubstr("info: line 99\n"));
  EXPECT_THAT(read, HasSubstr("info: without it\n"));
}

TEST_F(LogWriterWithAPipe, EndsThoughNobodyReads) {
  std::optional<LogWriter> writer(std::in_place);
  log_many();
  writer.reset();
  EXPECT_THAT(read_until("line 99 "), Not(HasSubstr("lines were lost")));
}

TEST_F(LogWriterWithAPipe, TakesLinesOfSeveralThreads) {
  std::optional<LogWriter> writer(std::in_place);
  const auto log = [](int number) {
    for (int i = 0; i < 100; ++i) log_info("thread {} line {}", number, i);
  };
  std::thread one([&] { log(1); });
  std::thread two([&] { log(2); });
  one.join();
  two.join();
  writer.reset();
  log_info("the end");
  const std::string read = read_until("the end");
  EXPECT_THAT(read, HasSubstr("thread 1 line 99\n"));
  EXPECT_THAT(read, HasSubstr("thread 2 line 99\n"));
}

}  // namespace
}  // namespace amt
