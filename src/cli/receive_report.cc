#include "cli/receive_report.hh"

#include <fmt/format.h>

namespace amt {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

double megabits_per_second(std::uint64_t octets, Duration in) {
  return in > Duration::zero() ? static_cast<double>(octets) * 8e-6 / seconds(in) : 0;
}

}  // namespace

void ReceiveReport::add(Instant now, Bytes payload) {
  if (packets_ == 0) first_ = now;
  ++packets_;
  octets_ += payload.size();
  if (verify_) {
    verifier_.add(payload);
  } else {
    meter_.add(payload);
  }
}

std::uint64_t ReceiveReport::stream_lost() const {
  switch (meter_.kind()) {
    case StreamMeter::Kind::kUnknown:
      return 0;
    case StreamMeter::Kind::kRtp:
    case StreamMeter::Kind::kTransportStreamInRtp:
      return meter_.rtp().lost();
    case StreamMeter::Kind::kTransportStream:
      return meter_.transport_stream().lost();
  }
  return 0;
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

TestVerifier::Counts ReceiveReport::counts(const ReceiverDrops& drops) const {
  TestVerifier::Counts counts;
  if (verify_) {
    counts = verifier_.counts();
  } else {
    counts.received = packets_;
    counts.bytes = octets_;
    counts.lost = stream_lost();
  }
  counts.damaged += drops.bad_checksum + drops.malformed;
  return counts;
}

bool ReceiveReport::is_faultless(const ReceiverDrops& drops) const {
  const TestVerifier::Counts result = counts(drops);
  return result.lost == 0 && result.damaged == 0;
}

std::string ReceiveReport::live_line(Instant now) {
  if (packets_ == 0) return "waiting for the first packet";
  const double rate = megabits_per_second(octets_ - live_octets_, now - live_at_.value_or(first_));
  live_at_ = now;
  live_octets_ = octets_;
  const std::string_view name = stream_name();
  std::string line = fmt::format("{:.2f} Mbit/s  {} packets", rate, packets_);
  if (!name.empty()) line += fmt::format("  {}: {} lost", name, counts({}).lost);
  return line;
}

std::string ReceiveReport::text(const Surroundings& surroundings) const {
  const TestVerifier::Counts result = counts(surroundings.drops);
  const Duration span = packets_ == 0 ? Duration::zero() : surroundings.ended - first_;
  std::string text = fmt::format("received {} packets, {} bytes in {:.1f} s ({:.2f} Mbit/s)", packets_, octets_,
                                 seconds(span), megabits_per_second(octets_, span));
  if (surroundings.relay) text += fmt::format(" from relay {}", surroundings.relay->to_string());
  if (surroundings.native) {
    text += fmt::format(", {} of them natively", surroundings.native->packets);
    if (surroundings.native->interface) text += " on " + *surroundings.native->interface;
  }
  if (const std::string_view name = stream_name(); !name.empty())
    text += fmt::format("; {}: {} lost", name, result.lost);
  if (verify_) text += fmt::format(", {} duplicated, {} reordered", result.duplicated, result.reordered);
  if (verify_ || result.damaged != 0) text += fmt::format(", {} damaged", result.damaged);
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
      R"({{"received":{},"lost":{},"duplicated":{},"reordered":{},"damaged":{},"bytes":{},)"
      R"("seconds":{:.6f},"join_seconds":{:.6f},"other_port":{},"not_udp":{},"reassembly_failed":{},"output_dropped":{},)"
      R"("stream":{},"relay":{},"native":{}}})",
      result.received, result.lost, result.duplicated, result.reordered, result.damaged, result.bytes, seconds(span),
      seconds(join), surroundings.drops.other_port, surroundings.drops.not_udp, surroundings.drops.reassembly,
      surroundings.output_dropped, stream_name().empty() ? "null" : fmt::format("\"{}\"", stream_name()),
      surroundings.relay ? fmt::format("\"{}\"", surroundings.relay->to_string()) : "null",
      surroundings.native ? fmt::format("{}", surroundings.native->packets) : "null");
}

}  // namespace amt
