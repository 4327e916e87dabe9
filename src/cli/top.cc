#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "base/printable.hh"
#include "cli/control_paths.hh"
#include "cli/failure.hh"
#include "cli/stop_signal.hh"
#include "cli/subcommands.hh"
#include "cli/top_screen.hh"
#include "ip/address.hh"
#include "observe/control_client.hh"
#include "observe/top_view.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

/// Of a screen that is printed where there is no terminal.
constexpr std::size_t kPrintedWidth = 80;
constexpr std::size_t kPrintedHeight = 24;

/// The first daemon that answers. Else why none does.
Result<std::string, std::string> find_daemon(const TopConfig& config) {
  std::string problem;
  std::string asked;
  for (const std::string& path : control_paths(config.control)) {
    const SysResult<FetchedStatus> answer = fetch_status(path, TopView::kHeadQuery);
    if (answer) return path;
    asked += (asked.empty() ? "" : ", ") + printable(path);
    if (!is_nobody_there(answer.error())) problem = explain_asking(answer.error());
  }
  if (!problem.empty()) return Unexpected<std::string>(problem);
  return Unexpected<std::string>("no relay or gateway is running here (no socket at " + asked + ")");
}

/// One look at the daemon.
void look(const std::string& path, TopChoice& choice, std::size_t rows, TopView& view) {
  const SysResult<FetchedStatus> head = fetch_status(path, TopView::kHeadQuery);
  if (!head) return view.set_problem("no answer: " + explain_asking(head.error()));
  if (!view.set_head(monotonic_now(), head->json))
    return view.set_problem(printable(path) + ": what answers there is no amt relay or gateway");
  const auto look_at_list = [&] {
    const SysResult<FetchedStatus> list = fetch_status(path, view.list_query(choice, rows));
    if (list && list->accepted) view.set_list(monotonic_now(), list->json);
  };
  look_at_list();
  // Past the end, or when the rows have gone, the list starts at the beginning again.
  if (view.is_empty() && std::exchange(choice.offset, 0) != 0) look_at_list();
}

int print_once(const std::string& path, const TopConfig& config) {
  TopView view;
  TopChoice choice;
  const std::size_t rows = TopView::rows_of(kPrintedHeight);
  look(path, choice, rows, view);
  // Rates need a second look.
  const SysResult<StopSignal> stop = StopSignal::create();
  if (!stop) return fail(stop.error().to_string());
  if (stop->wait_until(monotonic_now() + config.interval)) return 0;
  look(path, choice, rows, view);
  std::vector<TopLine> lines = view.screen(choice, kPrintedWidth, kPrintedHeight);
  // There are no keys there.
  lines.pop_back();
  std::string out;
  for (const TopLine& line : lines) out += line.text + "\n";
  const bool printed = std::fputs(out.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return printed ? 0 : fail("standard output cannot be written");
}

volatile std::sig_atomic_t stop_requested = 0;
void request_stop(int) { stop_requested = 1; }

/// The effect of a key. False: the end.
bool apply(TopScreen::Key key, TopScreen& screen, TopChoice& choice) {
  using Key = TopScreen::Key;
  const std::size_t rows = TopView::rows_of(screen.size().second);
  switch (key) {
    case Key::kEnd:
      return false;
    case Key::kChannels:
    case Key::kTunnels:
      choice.list = key == Key::kChannels ? TopChoice::List::kChannels : TopChoice::List::kTunnels;
      choice.sort = 0;
      choice.offset = 0;
      break;
    case Key::kSort:
      ++choice.sort;
      choice.offset = 0;
      break;
    case Key::kFilter: {
      const std::string text = screen.ask("only (address, prefix or group; empty: all): ");
      choice.filter = Prefix::parse(text) ? text : "";
      choice.offset = 0;
      break;
    }
    case Key::kHelp:
      choice.help = !choice.help;
      break;
    case Key::kUp:
      choice.offset -= std::min<std::size_t>(choice.offset, 1);
      break;
    case Key::kDown:
      ++choice.offset;
      break;
    case Key::kPageUp:
      choice.offset -= std::min(choice.offset, rows);
      break;
    case Key::kPageDown:
      choice.offset += rows;
      break;
    case Key::kNone:
    case Key::kResized:
      break;
  }
  return true;
}

void run_screen(const std::string& path, const TopConfig& config) {
  // Restores the terminal, at any end.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, request_stop);
  TopScreen screen;
  TopView view;
  TopChoice choice;
  Instant next_look = monotonic_now();
  while (stop_requested == 0) {
    if (monotonic_now() >= next_look) {
      look(path, choice, TopView::rows_of(screen.size().second), view);
      next_look = monotonic_now() + config.interval;
    }
    const auto [width, height] = screen.size();
    screen.draw(view.screen(choice, width, height));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_look - monotonic_now()).count();
    const TopScreen::Key key = screen.wait_key(static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (!apply(key, screen, choice)) return;
    // An answer to a key is shown at once.
    if (key != TopScreen::Key::kNone) next_look = monotonic_now();
  }
}

}  // namespace

int run_top(const TopConfig& config, const CommonConfig&) {
  const Result<std::string, std::string> path = find_daemon(config);
  if (!path) return fail(path.error());
  if (config.once) return print_once(*path, config);
  if (!TopScreen::is_possible()) return fail_usage("top", "this is no terminal; amt top --once prints one screen");
  run_screen(*path, config);
  return 0;
}

}  // namespace amt
