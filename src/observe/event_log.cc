#include "observe/event_log.hh"

#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include "base/counters.hh"
#include "engine/runtime/event_loop.hh"
#include "engine/runtime/loop_thread.hh"
#include "observe/event_json.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/log_limiter.hh"

namespace amt {
namespace {

/// Until a full pipe, or a full disk, is tried again.
constexpr Duration kFullRetry = std::chrono::milliseconds(50);
constexpr Duration kFailedRetry = std::chrono::seconds(1);
/// How long the end waits for an output that takes nothing.
constexpr Duration kEndPatience = std::chrono::seconds(1);
/// Text that is made before it is written.
constexpr std::size_t kTextOctetsMax = std::size_t{1} << 20;

}  // namespace

struct EventLog::Impl {
  using Entry = std::variant<std::vector<RelayEvent>, std::string>;

  Impl(LineOutput first, std::size_t max)
      : events_waiting_max(max), output(std::move(first)), retry(thread.loop(), [this] { write_waiting(); }) {}

  /// False: there are too many.
  void add(Entry entry, std::size_t events);
  /// Makes text of some waiting events; false: none waits.
  bool take_text();
  /// Until nothing waits, or the output takes no more.
  void write_waiting();
  /// The same, and waits for the output.
  void write_patiently();

  const std::size_t events_waiting_max;
  // Of the thread, and of the caller that began the end.
  LineOutput output;
  std::string text;
  /// Events in `text`.
  std::size_t text_events = 0;
  // Of all threads.
  std::mutex mutex;
  std::deque<Entry> waiting;
  std::size_t events_waiting = 0;
  std::uint64_t lost_untold = 0;
  std::optional<LineOutput> next_output;
  bool is_woken = false;
  bool is_ending = false;
  Count lost;
  LoopThread thread;
  Timer retry;
};

void EventLog::Impl::add(Entry entry, std::size_t events) {
  {
    const std::scoped_lock lock(mutex);
    if (events_waiting + events > events_waiting_max) {
      lost_untold += events;
      lost.add(events);
      return;
    }
    events_waiting += events;
    waiting.push_back(std::move(entry));
    if (!is_ending && std::exchange(is_woken, true)) return;
  }
  if (is_ending) return write_patiently();
  thread.loop().post([this] {
    if (!retry.is_set()) write_waiting();
  });
}

bool EventLog::Impl::take_text() {
  const WallClock clock{monotonic_now(), wall_now()};
  while (text.size() < kTextOctetsMax) {
    std::optional<Entry> entry;
    {
      const std::scoped_lock lock(mutex);
      if (next_output) {
        text.insert(0, output.begun());
        output = std::move(*std::exchange(next_output, std::nullopt));
      }
      if (text.empty()) events_waiting -= std::exchange(text_events, 0);
      if (waiting.empty() && lost_untold != 0) {
        text += lost_event(clock.wall, std::exchange(lost_untold, 0));
      }
      is_woken = !waiting.empty();
      if (waiting.empty()) break;
      entry = std::move(waiting.front());
      waiting.pop_front();
    }
    if (const auto* line = std::get_if<std::string>(&*entry)) {
      text += *line;
      ++text_events;
      continue;
    }
    for (const RelayEvent& event : std::get<std::vector<RelayEvent>>(*entry)) append_event(text, event, clock);
    text_events += std::get<std::vector<RelayEvent>>(*entry).size();
  }
  return !text.empty();
}

void EventLog::Impl::write_waiting() {
  while (take_text()) {
    switch (output.write(text)) {
      case LineOutput::Outcome::kWritten:
        continue;
      case LineOutput::Outcome::kFull:
        return retry.set(monotonic_now() + kFullRetry);
      case LineOutput::Outcome::kFailed:
        log_warn_limited("events", "--events {}: {}; events wait", output.path(), output.error().to_string());
        return retry.set(monotonic_now() + kFailedRetry);
    }
  }
}

void EventLog::Impl::write_patiently() {
  Instant give_up_at = monotonic_now() + kEndPatience;
  while (take_text()) {
    const std::size_t before = text.size();
    const LineOutput::Outcome result = output.write(text);
    if (result == LineOutput::Outcome::kWritten || text.size() < before) {
      give_up_at = monotonic_now() + kEndPatience;
    } else if (result == LineOutput::Outcome::kFailed || monotonic_now() > give_up_at) {
      const std::scoped_lock lock(mutex);
      log_error("--events {}: {} events could not be written{}", output.path(), events_waiting,
                result == LineOutput::Outcome::kFailed ? " (" + output.error().to_string() + ")" : "");
      lost.add(events_waiting);
      events_waiting = text_events = 0;
      text.clear();
      return waiting.clear();
    } else {
      output.wait_for_room(kFullRetry);
    }
  }
}

EventLog::EventLog(LineOutput output, std::size_t events_waiting_max)
    : impl_(std::make_unique<Impl>(std::move(output), events_waiting_max)) {
  impl_->thread.start("amt-events");
}

EventLog::~EventLog() {
  begin_end();
  impl_->write_patiently();
}

void EventLog::begin_end() {
  impl_->thread.stop();
  impl_->is_ending = true;
}

void EventLog::add(std::vector<RelayEvent> events) {
  const std::size_t count = events.size();
  impl_->add(std::move(events), count);
}
void EventLog::add(std::string line) { impl_->add(std::move(line), 1); }

void EventLog::replace(LineOutput output) {
  {
    const std::scoped_lock lock(impl_->mutex);
    impl_->next_output = std::move(output);
  }
  // At once: the old file may be about to be compressed.
  impl_->thread.loop().post([this] {
    impl_->retry.set(kNoDeadline);
    impl_->write_waiting();
  });
}

std::uint64_t EventLog::lost() const { return impl_->lost.value(); }

}  // namespace amt
