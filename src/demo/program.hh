#pragma once
/// A program that takes part in the demo, with its output in files.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "demo/failure.hh"
#include "sys/namespace.hh"
#include "sys/process.hh"

namespace amt {

struct ProgramOptions {
  std::string name;  ///< of its files, and in messages
  std::vector<std::string> arguments;
  /// Where it runs; none: here.
  const NetworkNamespace* place = nullptr;
  /// For `NAME.out` and `NAME.log`.
  std::filesystem::path directory;
};

/// Killed with this object.
class Program {
 public:
  static DemoResult<Program> start(const ProgramOptions& options);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Whether it ended, and how.
  [[nodiscard]] std::optional<int> exit_status();
  /// `word` stands in its log as a word of its own.
  [[nodiscard]] bool logged(std::string_view word) const;
  [[nodiscard]] std::string standard_output() const;
  /// "NAME ended with status 1: last line of its log".
  [[nodiscard]] DemoFailure failure();

  /// SIGTERM, and its exit status; 137 when it did not end in time and was killed.
  int stop();

 private:
  Program(Process process, const ProgramOptions& options);
  Process process_;
  std::string name_;
  std::filesystem::path output_;
  std::filesystem::path log_;
  std::optional<ExitStatus> ended_;
};

/// Runs it to its end. Failure: it did not end well.
[[nodiscard]] DemoResult<std::string> run_program(const ProgramOptions& options, Duration timeout);

/// The first octets of a file; empty when there is none.
[[nodiscard]] std::string read_text_file(const std::filesystem::path& path);

}  // namespace amt
