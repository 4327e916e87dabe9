#include "stream/live_stream.hh"

#include "stream/codec_name.hh"

namespace amt {

LiveStream::LiveStream(std::size_t ring_octets)
    : ring_(ring_octets / kTsPacketOctets * kTsPacketOctets),
      aligner_([this](Bytes packets) { add_packets(packets); }) {}

void LiveStream::add(Instant now, Bytes payload) {
  now_ = now;
  aligner_.add(payload);
  forget_old_starts();
}

void LiveStream::add_packets(Bytes packets) {
  if (waiting_since_ == kNoDeadline) waiting_since_ = now_;
  for (; !packets.empty(); packets = packets.subspan(kTsPacketOctets)) add_packet(packets.first(kTsPacketOctets));
}

void LiveStream::add_packet(Bytes packet) {
  const TsPacketView view = TsPacketView::parse(packet);
  meter_.add(view);
  programs_.add(packet, view);
  // Before the packet is added: it is the first one for viewers that start here.
  if (view.unit_start) handle_unit(view);
  ring_.add(packet);
}

void LiveStream::handle_unit(const TsPacketView& view) {
  const std::optional<ElementaryStream> leading = programs_.leading_stream();
  const std::optional<ElementaryStream> audio = programs_.first_audio();
  const bool is_leading = leading && leading->pid == view.pid;
  const bool is_audio = audio && audio->pid == view.pid;
  if (leading && !is_leading && !is_audio) return;
  const std::optional<PesStart> pes = view.scrambled ? std::nullopt : PesStart::parse(view.payload);
  if (is_audio && pes) {
    if (std::string name = codec_name(audio->kind, pes->payload); !name.empty()) audio_codec_ = std::move(name);
  }
  if (!leading || is_leading) look_for_start(view, leading ? &*leading : nullptr, pes);
}

/// `leading`: the stream whose unit this is; null: no PMT has come yet.
void LiveStream::look_for_start(const TsPacketView& view, const ElementaryStream* leading,
                                const std::optional<PesStart>& pes) {
  const bool has_video = leading != nullptr && is_video(leading->kind);
  if (leading != nullptr) is_scrambled_ = view.scrambled;
  if (has_video && (view.random_access || (pes && begins_with_key_frame(leading->kind, pes->payload)))) {
    if (pes) video_codec_ = codec_name(leading->kind, pes->payload);
    waiting_since_ = now_;
    return add_start(true, pes ? pes->presentation_time : std::nullopt);
  }
  // Each unit of audio can be heard alone; others are a last resort.
  if ((leading == nullptr || has_video) && now_ - waiting_since_ < kKeyFrameWait) return;
  if (!starts_.empty() && now_ - starts_.back().at < kOtherStartInterval) return;
  add_start(false, pes ? pes->presentation_time : std::nullopt);
}

std::string LiveStream::codecs() const {
  const std::optional<ElementaryStream> leading = programs_.leading_stream();
  if (!leading) return "";
  if (!is_video(leading->kind)) return audio_codec_;
  if (!programs_.first_audio()) return video_codec_;
  return video_codec_.empty() || audio_codec_.empty() ? "" : video_codec_ + "," + audio_codec_;
}

void LiveStream::add_start(bool is_key_frame, std::optional<std::int64_t> presentation_time) {
  std::vector<std::byte> tables = programs_.tables();
  // Nearly always those of the start before: kept once.
  const bool is_same = !starts_.empty() && *starts_.back().tables == tables;
  starts_.push_back(
      {.position = ring_.end(),
       .at = now_,
       .tables = is_same ? starts_.back().tables : std::make_shared<const std::vector<std::byte>>(std::move(tables)),
       .presentation_time = presentation_time,
       .is_key_frame = is_key_frame});
  if (starts_.size() > kStartPointsMax) starts_.pop_front();
}

void LiveStream::forget_old_starts() {
  while (!starts_.empty() && starts_.front().position < ring_.begin()) starts_.pop_front();
}

const StartPoint* LiveStream::latest_start() const { return starts_.empty() ? nullptr : &starts_.back(); }

const StartPoint* LiveStream::start_of_newcomer(Instant now) const {
  const StartPoint* found = nullptr;
  for (auto start = starts_.rbegin(); start != starts_.rend(); ++start) {
    // The other half of the ring is room for a viewer that is slow at first.
    const bool is_too_old = now - start->at > kHeadStartMax || ring_.end() - start->position > ring_.capacity() / 2;
    const bool is_worse = found != nullptr && found->is_key_frame && !start->is_key_frame;
    if (found != nullptr && (is_too_old || is_worse)) break;
    found = &*start;
    if (now - start->at >= kHeadStart) break;
  }
  return found;
}

}  // namespace amt
