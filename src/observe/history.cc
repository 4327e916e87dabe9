#include "observe/history.hh"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace amt {
namespace {

constexpr std::size_t kSecondsOfMinute = 60;
constexpr std::uint64_t kBitsPerOctet = 8;

/// The rate per second between two samples. A counter that starts again (of an interface that was made again) gives 0.
std::uint64_t rate(std::uint64_t before, std::uint64_t now, double seconds, std::uint64_t factor = 1) {
  if (now <= before) return 0;
  return static_cast<std::uint64_t>(static_cast<double>((now - before) * factor) / seconds + 0.5);
}

}  // namespace

void History::Ring::push(const Row& row) {
  if (rows.size() < rows_max) {
    rows.push_back(row);
  } else {
    rows[pushed % rows_max] = row;
  }
  ++pushed;
}

void History::add(Instant now, const HistoryTotals& totals) {
  const HistoryTotals before = std::exchange(before_, totals);
  const double seconds = std::chrono::duration<double>(now - std::exchange(before_at_, now)).count();
  if (!std::exchange(has_before_, true) || seconds <= 0) return;
  const Row row = {rate(before.bytes_in, totals.bytes_in, seconds, kBitsPerOctet),
                   rate(before.bytes_out, totals.bytes_out, seconds, kBitsPerOctet),
                   totals.clients,
                   rate(before.handshakes, totals.handshakes, seconds),
                   rate(before.losses, totals.losses, seconds),
                   rate(before.refusals, totals.refusals, seconds)};
  seconds_.push(row);
  for (std::size_t i = 0; i < row.size(); ++i) minute_sum_[i] += row[i];
  if (++minute_seconds_ < kSecondsOfMinute) return;
  Row average{};
  for (std::size_t i = 0; i < row.size(); ++i) average[i] = (minute_sum_[i] + kSecondsOfMinute / 2) / kSecondsOfMinute;
  minutes_.push(average);
  minute_sum_ = {};
  minute_seconds_ = 0;
}

std::string History::json(Span span, std::uint64_t after) const {
  const Ring& ring = span == Span::kHour ? seconds_ : minutes_;
  std::string out = fmt::format(
      R"({{"interval_seconds":{},"next":{},"columns":["bits_in","bits_out","{}","handshakes","losses","refusals"],)"
      R"("rows":[)",
      span == Span::kHour ? 1 : kSecondsOfMinute, ring.pushed, clients_name_);
  const std::uint64_t oldest = ring.pushed - ring.rows.size();
  // A number from before a restart is greater than all: then everything is new.
  const std::uint64_t first = after > ring.pushed ? oldest : std::max(after, oldest);
  for (std::uint64_t i = first; i < ring.pushed; ++i) {
    const Row& row = ring.rows[i % ring.rows_max];
    fmt::format_to(std::back_inserter(out), "{}[{}]", i == first ? "" : ",", fmt::join(row, ","));
  }
  return out + "]}";
}

}  // namespace amt
