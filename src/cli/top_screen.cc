#include "cli/top_screen.hh"

#include <unistd.h>

#include <cstdlib>

// Defines macros for names such as `clear` and `timeout`: last.
#define NCURSES_NOMACROS
#include <ncurses.h>

namespace amt {
namespace {

constexpr int kFilterOctetsMax = 64;

enum Colour : short { kGreen = 1, kRed = 2, kGrey = 3 };

/// COLOR_PAIR is an int where attributes are unsigned.
attr_t in_colour(Colour colour) { return has_colors() ? static_cast<attr_t>(COLOR_PAIR(colour)) : A_NORMAL; }

attr_t attributes_of(TopStyle style) {
  switch (style) {
    case TopStyle::kPlain:
      return A_NORMAL;
    case TopStyle::kTitle:
      return A_BOLD;
    case TopStyle::kHead:
      return A_REVERSE;
    case TopStyle::kGood:
      return in_colour(kGreen);
    case TopStyle::kBad:
      return in_colour(kRed) | A_BOLD;
    case TopStyle::kQuiet:
      return A_DIM;
  }
  return A_NORMAL;
}

TopScreen::Key key_of(int code) {
  using Key = TopScreen::Key;
  switch (code) {
    case 'q':
    case 'Q':
      return Key::kEnd;
    case 'c':
      return Key::kChannels;
    case 't':
    case 'g':
      return Key::kTunnels;
    case 's':
      return Key::kSort;
    case '/':
    case 'f':
      return Key::kFilter;
    case 'h':
    case '?':
      return Key::kHelp;
    case KEY_UP:
    case 'k':
      return Key::kUp;
    case KEY_DOWN:
    case 'j':
      return Key::kDown;
    case KEY_PPAGE:
      return Key::kPageUp;
    case KEY_NPAGE:
    case ' ':
      return Key::kPageDown;
    case KEY_RESIZE:
      return Key::kResized;
    default:
      return Key::kNone;
  }
}

}  // namespace

bool TopScreen::is_possible() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1; }

TopScreen::TopScreen() {
  ::initscr();
  ::cbreak();
  ::noecho();
  ::curs_set(0);
  ::keypad(::stdscr, true);
  // An Esc is no key here, and there is no wait for the octets that may follow it.
  ::set_escdelay(25);
  if (!::has_colors()) return;
  ::start_color();
  ::use_default_colors();
  ::init_pair(kGreen, COLOR_GREEN, -1);
  ::init_pair(kRed, COLOR_RED, -1);
}

TopScreen::~TopScreen() { ::endwin(); }

std::pair<std::size_t, std::size_t> TopScreen::size() const {
  return {static_cast<std::size_t>(getmaxx(::stdscr)), static_cast<std::size_t>(getmaxy(::stdscr))};
}

void TopScreen::draw(const std::vector<TopLine>& lines) {
  ::werase(::stdscr);
  const int height = getmaxy(::stdscr);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    // The keys stand at the bottom, however few rows there are.
    const int y = i + 1 == lines.size() ? height - 1 : static_cast<int>(i);
    ::wattrset(::stdscr, static_cast<int>(attributes_of(lines[i].style)));
    ::mvwaddnstr(::stdscr, y, 0, lines[i].text.c_str(), static_cast<int>(lines[i].text.size()));
  }
  ::wrefresh(::stdscr);
}

TopScreen::Key TopScreen::wait_key(int milliseconds) {
  ::wtimeout(::stdscr, milliseconds);
  return key_of(::wgetch(::stdscr));
}

std::string TopScreen::ask(const std::string& question) {
  ::wattrset(::stdscr, static_cast<int>(A_BOLD));
  ::wmove(::stdscr, getmaxy(::stdscr) - 1, 0);
  ::wclrtoeol(::stdscr);
  ::waddstr(::stdscr, question.c_str());
  ::wtimeout(::stdscr, -1);
  ::echo();
  ::curs_set(1);
  char text[kFilterOctetsMax + 1] = {};
  const bool answered = ::wgetnstr(::stdscr, text, kFilterOctetsMax) == OK;
  ::noecho();
  ::curs_set(0);
  return answered ? text : "";
}

}  // namespace amt
