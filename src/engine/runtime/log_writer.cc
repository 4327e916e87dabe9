#include "engine/runtime/log_writer.hh"

#include <poll.h>
#include <unistd.h>

#include "sys/capabilities.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/log_limiter.hh"

namespace amt {
namespace {

constexpr Duration kFlushInterval = std::chrono::seconds(1);
constexpr int kLookMilliseconds = 50;

}  // namespace

LogWriter::LogWriter() : second_(thread_.loop(), [this] { on_second(); }) {
  second_.set(monotonic_now() + kFlushInterval);
  log_queue().open([this] { thread_.loop().post([this] { write_waiting(); }); });
  // It writes to an open descriptor, and needs no privilege for that.
  thread_.loop().post([] { static_cast<void>(limit_capabilities({})); });
  thread_.start("amt-log");
}

LogWriter::~LogWriter() {
  log_queue().close();
  ending_ = true;
  thread_.stop();
  // Lines that came after the thread's last look.
  write_waiting();
}

void LogWriter::write_waiting() {
  const LogQueue::Batch batch = log_queue().take();
  for (const LogRecord& record : batch.records) {
    if (!wait_for_stderr()) return;
    write_log(record);
  }
  if (batch.lost != 0) {
    log_warn("{} log lines were lost: stderr took them too slowly (mend: read it, or a higher --log-level)",
             batch.lost);
  }
}

void LogWriter::on_second() {
  log_limiter().flush(monotonic_now());
  second_.set(monotonic_now() + kFlushInterval);
}

bool LogWriter::wait_for_stderr() {
  Instant give_up_at = kNoDeadline;
  for (;;) {
    pollfd stderr_{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&stderr_, 1, kLookMilliseconds) != 0) return true;
    const Instant now = monotonic_now();
    if (ending_ && give_up_at == kNoDeadline) give_up_at = now + kEndPatience;
    if (now >= give_up_at) return false;
  }
}

}  // namespace amt
