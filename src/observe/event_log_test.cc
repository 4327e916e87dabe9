#include "observe/event_log.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "sys/clock.hh"

namespace amt {
namespace {

class EventLogTest : public ::testing::Test {
 protected:
  EventLogTest() {
    std::array<char, 32> name{"/tmp/amt-event-log-XXXXXX"};
    folder_ = ::mkdtemp(name.data());
  }
  ~EventLogTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] static std::string content(const std::string& file) {
    std::ostringstream out;
    out << std::ifstream(file).rdbuf();
    return out.str();
  }
  static bool wait_for(const std::function<bool()>& condition) {
    for (int round = 0; round < 2000 && !condition(); ++round) ::usleep(5000);
    return condition();
  }

 private:
  std::string folder_;
};

TEST_F(EventLogTest, AppendsLinesInOrder) {
  std::ofstream(path("events")) << "before\n";
  {
    EventLog log(LineOutput::open(path("events")).value());
    log.add("one\n");
    log.add("two\n");
    EXPECT_TRUE(wait_for([&] { return content(path("events")) == "before\none\ntwo\n"; }));
    log.add("three\n");
  }
  EXPECT_EQ(content(path("events")), "before\none\ntwo\nthree\n");
}

TEST_F(EventLogTest, GoesOnInANewFile) {
  EventLog log(LineOutput::open(path("events")).value());
  log.add("one\n");
  ASSERT_TRUE(wait_for([&] { return content(path("events")) == "one\n"; }));
  std::filesystem::rename(path("events"), path("events.1"));
  log.replace(LineOutput::open(path("events")).value());
  log.add("two\n");
  EXPECT_TRUE(wait_for([&] { return content(path("events")) == "two\n"; }));
  EXPECT_EQ(content(path("events.1")), "one\n");
}

// A pipe that is full gets whole lines, all of them, once it is read again.
TEST_F(EventLogTest, WaitsForASlowReader) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_FALSE(LineOutput::open(path("fifo")).has_value()) << "nobody reads";
  const int reader = ::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK);
  constexpr int kLines = 5000;
  std::string expected;
  std::string got;
  const auto read_some = [&] {
    std::array<char, 4096> piece{};
    const ssize_t octets = ::read(reader, piece.data(), piece.size());
    if (octets > 0) got.append(piece.data(), static_cast<std::size_t>(octets));
    return got.size() == expected.size();
  };
  EventLog log(LineOutput::open(path("fifo")).value());
  for (int i = 0; i < kLines; ++i) {
    std::string line = "line " + std::to_string(i) + " with enough octets to fill a pipe soon\n";
    expected += line;
    log.add(std::move(line));
  }
  EXPECT_TRUE(wait_for(read_some));
  EXPECT_EQ(got, expected);
  EXPECT_EQ(log.lost(), 0U);
  ::close(reader);
}

// It stays and is tried again; the next file has what the full disk did not take.
TEST_F(EventLogTest, KeepsWhatAFullDiskDoesNotTake) {
  EventLog log(LineOutput::open("/dev/full").value());
  log.add("kept\n");
  ::usleep(20'000);
  EXPECT_EQ(log.lost(), 0U);
  log.replace(LineOutput::open(path("events")).value());
  EXPECT_TRUE(wait_for([&] { return content(path("events")) == "kept\n"; }));
}

TEST_F(EventLogTest, CountsWhatItCannotKeep) {
  constexpr std::size_t kMax = 4000;
  constexpr std::size_t kMore = 1000;
  EventLog log(LineOutput::open("/dev/full").value(), kMax);
  const std::vector<RelayEvent> events(kMax / 4);
  for (int i = 0; i < 4; ++i) log.add(events);
  log.add(std::vector<RelayEvent>(kMore));
  EXPECT_EQ(log.lost(), kMore);
  log.replace(LineOutput::open(path("events")).value());
  EXPECT_TRUE(wait_for(
      [&] { return content(path("events")).find("\"event\":\"lost\",\"count\":1000}") != std::string::npos; }));
}

TEST_F(EventLogTest, WritesAllInTheEndHoweverMuch) {
  constexpr std::size_t kTurns = 60;
  constexpr std::size_t kEach = 5000;
  {
    EventLog log(LineOutput::open(path("events")).value());
    log.begin_end();
    for (std::size_t i = 0; i < kTurns; ++i) log.add(std::vector<RelayEvent>(kEach));
    EXPECT_EQ(log.lost(), 0U);
  }
  std::ifstream file(path("events"));
  std::size_t lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  EXPECT_EQ(lines, kTurns * kEach);
}

}  // namespace
}  // namespace amt
