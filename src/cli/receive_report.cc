#include "cli/receive_report.hh"

#include <fmt/format.h>

#include "base/seconds.hh"

namespace amt {
namespace {

/// A gap this long is a pause, in a flow of which ten packets and more would have come meanwhile.
constexpr Duration kPauseMin = std::chrono::seconds(1);
constexpr int kPauseFactor = 10;
constexpr std::uint64_t kFlowPackets = 10;

double megabits_per_second(std::uint64_t octets, Duration in) {
  return in > Duration::zero() ? static_cast<double>(octets) * 8e-6 / seconds(in) : 0;
}

}  // namespace

void ReceiveReport::add(Instant now, Bytes payload) {
  if (packets_ == 0) first_ = last_ = now;
  if (now - last_ >= kPauseMin) note_gap(now - last_);
  last_ = now;
  ++packets_;
  octets_ += payload.size();
  if (verify_) {
    verifier_.add(payload);
  } else {
    meter_.add(payload);
  }
}

void ReceiveReport::note_gap(Duration gap) {
  // A source that is this rare pauses all the time.
  const Duration usual = (last_ - first_) / static_cast<Duration::rep>(packets_);
  if (packets_ < kFlowPackets || gap < usual * kPauseFactor) return;
  ++pauses_;
  paused_ += gap;
  meter_.note_pause();
}

void ReceiveReport::count_stream(TestVerifier::Counts& counts) const {
  switch (meter_.kind()) {
    case StreamMeter::Kind::kUnknown:
      return;
    case StreamMeter::Kind::kRtp:
    case StreamMeter::Kind::kTransportStreamInRtp:
      counts.lost = meter_.rtp().lost();
      counts.duplicated = meter_.rtp().duplicated();
      counts.reordered = meter_.rtp().reordered();
      return;
    case StreamMeter::Kind::kTransportStream:
      counts.lost = meter_.transport_stream().lost();
      return;
  }
}

std::string_view ReceiveReport::stream_name() const {
  if (verify_) return "test packets";
  switch (meter_.kind()) {
    case StreamMeter::Kind::kUnknown:
      return {};
    case StreamMeter::Kind::kRtp:
      return "RTP";
    case StreamMeter::Kind::kTransportStream:
      return "MPEG-TS";
    case StreamMeter::Kind::kTransportStreamInRtp:
      return "MPEG-TS in RTP";
  }
  return {};
}

TestVerifier::Counts ReceiveReport::counts(const PayloadDrops& drops) const {
  TestVerifier::Counts counts;
  if (verify_) {
    counts = verifier_.counts();
  } else {
    counts.received = packets_;
    counts.bytes = octets_;
    count_stream(counts);
  }
  counts.damaged += drops.bad_checksum + drops.malformed;
  return counts;
}

bool ReceiveReport::is_faultless(const PayloadDrops& drops) const {
  const TestVerifier::Counts result = counts(drops);
  return result.lost == 0 && result.damaged == 0;
}

bool ReceiveReport::is_smooth(const Surroundings& surroundings) const {
  return is_faultless(surroundings.drops) && pauses_ == 0 && surroundings.late == 0 &&
         surroundings.output_dropped == 0 && surroundings.drops.reassembly == 0;
}

std::string ReceiveReport::losses(const TestVerifier::Counts& counts) const {
  // The counters of a transport stream go to 15: whole multiples of 16 packets can be missing unseen.
  const bool is_a_bound = !verify_ && meter_.kind() == StreamMeter::Kind::kTransportStream && counts.lost != 0;
  return fmt::format("{}: {}{} lost", stream_name(), is_a_bound ? "at least " : "", counts.lost);
}

std::string ReceiveReport::live_line(Instant now) {
  if (packets_ == 0) return "waiting for the first packet";
  const double rate = megabits_per_second(octets_ - live_octets_, now - live_at_.value_or(first_));
  live_at_ = now;
  live_octets_ = octets_;
  std::string line = fmt::format("{:.2f} Mbit/s  {} packets", rate, packets_);
  if (!stream_name().empty()) line += "  " + losses(counts({}));
  return line;
}

std::string ReceiveReport::text(const Surroundings& surroundings) const {
  const TestVerifier::Counts result = counts(surroundings.drops);
  const Duration span = packets_ == 0 ? Duration::zero() : surroundings.ended - first_;
  std::string text = surroundings.channel ? *surroundings.channel + ": " : std::string();
  text += fmt::format("received {} packets, {} bytes in {:.1f} s ({:.2f} Mbit/s)", packets_, octets_, seconds(span),
                      megabits_per_second(octets_, span));
  if (surroundings.relay) text += fmt::format(" from relay {}", surroundings.relay->to_string());
  if (surroundings.native) {
    text += fmt::format(", {} of them natively", surroundings.native->packets);
    if (surroundings.native->interface) text += " on " + *surroundings.native->interface;
  }
  if (!stream_name().empty()) text += "; " + losses(result);
  if (verify_ || result.duplicated + result.reordered != 0)
    text += fmt::format(", {} duplicated, {} reordered", result.duplicated, result.reordered);
  if (verify_ || result.damaged != 0) text += fmt::format(", {} damaged", result.damaged);
  if (result.foreign != 0) text += fmt::format(", {} of somebody else", result.foreign);
  if (surroundings.repaired != 0) text += fmt::format(", {} repaired", surroundings.repaired);
  if (surroundings.late != 0) text += fmt::format(", {} too late to be put in order", surroundings.late);
  if (pauses_ != 0) {
    text +=
        fmt::format("; nothing came for {:.1f} s in {} pause{}", seconds(paused_), pauses_, pauses_ == 1 ? "" : "s");
  }
  if (surroundings.output_dropped != 0) {
    text += fmt::format("; {} not written, the reader was too slow", surroundings.output_dropped);
  }
  return text;
}

std::string ReceiveReport::json(const Surroundings& surroundings) const {
  const TestVerifier::Counts result = counts(surroundings.drops);
  const Duration join = packets_ == 0 ? Duration::zero() : first_ - surroundings.started;
  const Duration span = packets_ == 0 ? Duration::zero() : surroundings.ended - first_;
  return fmt::format(
      R"({{{}"received":{},"lost":{},"duplicated":{},"reordered":{},"damaged":{},"bytes":{},)"
      R"("seconds":{:.6f},"join_seconds":{:.6f},"other_port":{},"not_udp":{},"reassembly_failed":{},"output_dropped":{},)"
      R"("foreign":{},"late":{},"repaired":{},"pauses":{},"paused_seconds":{:.6f},"stream":{},"relay":{},"native":{}}})",
      surroundings.channel ? fmt::format("\"channel\":\"{}\",", *surroundings.channel) : "", result.received,
      result.lost, result.duplicated, result.reordered, result.damaged, result.bytes, seconds(span), seconds(join),
      surroundings.drops.other_port, surroundings.drops.not_udp, surroundings.drops.reassembly,
      surroundings.output_dropped, result.foreign, surroundings.late, surroundings.repaired, pauses_, seconds(paused_),
      stream_name().empty() ? "null" : fmt::format("\"{}\"", stream_name()),
      surroundings.relay ? fmt::format("\"{}\"", surroundings.relay->to_string()) : "null",
      surroundings.native ? fmt::format("{}", surroundings.native->packets) : "null");
}

}  // namespace amt
