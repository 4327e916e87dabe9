#include "demo/program.hh"

#include <fcntl.h>
#include <fmt/format.h>

#include <cctype>
#include <fstream>

#include "demo/waiting.hh"

namespace amt {
namespace {

/// Frame lists are the longest, about 50 KB.
constexpr std::size_t kTextOctetsMax = 4 << 20;
constexpr Duration kStopPatience = std::chrono::seconds(5);

UniqueFd create_file(const std::filesystem::path& path) {
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
}

std::string last_line(const std::string& text) {
  const std::size_t last = text.find_last_not_of("\r\n ");
  if (last == std::string::npos) return "it said nothing";
  const std::size_t before = text.find_last_of("\r\n", last);
  const std::size_t first = before == std::string::npos ? 0 : before + 1;
  return text.substr(first, last - first + 1);
}

bool stands_alone(const std::string& text, std::size_t at, std::size_t length) {
  const auto is_letter = [&](std::size_t i) {
    return i < text.size() && std::isalnum(static_cast<unsigned char>(text[i])) != 0;
  };
  return !(at > 0 && is_letter(at - 1)) && !is_letter(at + length);
}

}  // namespace

std::string read_text_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kTextOctetsMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Program::Program(Process process, const ProgramOptions& options)
    : process_(std::move(process)),
      name_(options.name),
      output_(options.directory / (options.name + ".out")),
      log_(options.directory / (options.name + ".log")) {}

DemoResult<Program> Program::start(const ProgramOptions& options) {
  const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const UniqueFd output = create_file(options.directory / (options.name + ".out"));
  const UniqueFd log = create_file(options.directory / (options.name + ".log"));
  if (!nothing || !output || !log) return demo_failure(SysError::last("open", options.directory.string()));
  ProcessOptions process;
  process.arguments = options.arguments;
  process.standard_input = nothing.get();
  process.standard_output = output.get();
  process.standard_error = log.get();
  if (options.place != nullptr) process.network_namespace_fd = options.place->fd();
  SysResult<Process> spawned = Process::spawn(process);
  if (!spawned) return demo_failure(spawned.error());
  return Program(std::move(*spawned), options);
}

std::optional<int> Program::exit_status() {
  if (!ended_) ended_ = process_.wait(Duration::zero());
  if (!ended_) return std::nullopt;
  return ended_->code;
}

bool Program::logged(std::string_view word) const {
  const std::string text = read_text_file(log_);
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    if (stands_alone(text, at, word.size())) return true;
  }
  return false;
}

std::string Program::standard_output() const { return read_text_file(output_); }

DemoFailure Program::failure() {
  const std::optional<int> status = exit_status();
  const std::string fate = status ? fmt::format("ended with status {}", *status) : "did not do its work";
  return {fmt::format("{} {}: {}", name_, fate, last_line(read_text_file(log_)))};
}

int Program::stop() {
  if (!exit_status()) ended_ = process_.terminate(kStopPatience);
  return ended_->code;
}

DemoResult<std::string> run_program(const ProgramOptions& options, Duration timeout) {
  DemoResult<Program> program = Program::start(options);
  if (!program) return tl::unexpected(program.error());
  const DemoResult<void> ended =
      wait_for(options.name + " to end", timeout, [&] { return program->exit_status().has_value(); });
  if (!ended) return tl::unexpected(ended.error());
  if (program->exit_status() != 0) return tl::unexpected(program->failure());
  return program->standard_output();
}

}  // namespace amt
