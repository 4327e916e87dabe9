#include "cli/man_viewer.hh"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "sys/process.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

/// A file without a name that holds `text`, read from its beginning.
UniqueFd text_file(const std::string& text) {
  UniqueFd file(memfd_create("man-page", MFD_CLOEXEC));
  if (!file) return file;
  const bool written = ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (!written || ::lseek(file.get(), 0, SEEK_SET) != 0) return {};
  return file;
}

/// False: the program is not there, or cannot show it.
bool is_shown_by(std::vector<std::string> command, const std::string& roff) {
  const UniqueFd page = text_file(roff);
  if (!page) return false;
  ProcessOptions options;
  options.arguments = std::move(command);
  options.standard_input = page.get();
  SysResult<Process> viewer = Process::spawn(options);
  if (!viewer) return false;
  // A person reads as long as they like.
  std::optional<ExitStatus> ended;
  while (!ended) ended = viewer->wait(std::chrono::hours(1));
  return ended->code == 0;
}

}  // namespace

int show_man_page(const std::string& roff, const std::string& plain) {
  if (is_shown_by({"man", "-l", "-"}, roff)) return 0;
  if (is_shown_by({"groff", "-man", "-Tutf8", "-P-cbou"}, roff)) return 0;
  const bool printed = std::fputs(plain.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return printed ? 0 : 1;
}

}  // namespace amt
