#pragma once
/// Subcommands that run in the process of a test, as `main` runs them.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "config/command_line.hh"

namespace amt::cli_test {

/// Arguments that can be used, and the test keeps its privileges.
inline Invocation parsed(std::vector<std::string> arguments) {
  arguments.emplace_back("--no-sandbox");
  Result<Invocation, EarlyExit> invocation = parse_command_line(arguments);
  if (!invocation) {
    std::fputs(invocation.error().standard_error.c_str(), stderr);
    std::abort();
  }
  return std::move(*invocation);
}

template <typename Config>
Config config_of(std::vector<std::string> arguments) {
  return std::get<Config>(parsed(std::move(arguments)).command);
}

inline CommonConfig unconfined() {
  CommonConfig common;
  common.no_sandbox = true;
  return common;
}

/// `StopSignal` blocks signals; they are let through again at the end of a test.
class SignalMask {
 public:
  SignalMask() { ::sigprocmask(SIG_SETMASK, nullptr, &before_); }
  ~SignalMask() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalMask(const SignalMask&) = delete;
  SignalMask& operator=(const SignalMask&) = delete;

 private:
  sigset_t before_{};
};

/// What a subcommand left behind.
struct Said {
  int status = 0;
  std::string output;
  std::string errors;
};

/// Runs it with standard output and standard error redirected.
template <typename Run>
Said said_by(Run run) {
  const SignalMask mask;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Said said;
  said.status = run();
  std::fflush(stdout);
  std::fflush(stderr);
  said.output = testing::internal::GetCapturedStdout();
  said.errors = testing::internal::GetCapturedStderr();
  return said;
}

/// Gone with its files at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "amt-cli-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& content, mode_t mode = 0600) const {
    std::ofstream(path(name), std::ios::binary) << content;
    EXPECT_EQ(::chmod(path(name).c_str(), mode), 0);
    return path(name);
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  std::filesystem::path path_;
};

}  // namespace amt::cli_test
