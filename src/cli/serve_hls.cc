#include "cli/serve_hls.hh"

#include <algorithm>

#include "config/values.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

/// An octet string that many read at once, piece by piece.
class SharedOctets final : public StatusStream {
 public:
  explicit SharedOctets(std::shared_ptr<const std::vector<std::byte>> octets) : octets_(std::move(octets)) {}
  void next(Deliver deliver) override {
    constexpr std::size_t kPieceOctets = 256 * 1024;
    const Bytes piece = Bytes(*octets_).subspan(sent_, std::min(kPieceOctets, octets_->size() - sent_));
    sent_ += piece.size();
    std::string text(piece.size(), '\0');
    std::ranges::transform(piece, text.begin(), [](std::byte one) { return std::to_integer<char>(one); });
    deliver(std::move(text));
  }

 private:
  std::shared_ptr<const std::vector<std::byte>> octets_;
  std::size_t sent_ = 0;
};

HttpAnswer hls_list(const ServeSite& site, const HttpRequest& request, std::string text) {
  HttpAnswer answer = http_text("application/vnd.apple.mpegurl", std::move(text));
  answer.fields = site.access.fields_for(request);
  return answer;
}

/// `NUMBER.ts`
std::optional<std::uint64_t> segment_number(std::string_view file) {
  constexpr std::string_view kSuffix = ".ts";
  if (!file.ends_with(kSuffix)) return std::nullopt;
  const ValueResult<std::uint64_t> number = parse_number(file.substr(0, file.size() - kSuffix.size()), 0, UINT64_MAX);
  return number ? std::optional(*number) : std::nullopt;
}

void serve_segment(ServeSite& site, const HttpRequest& request, const ChannelKey& key, std::uint64_t number,
                   const HttpRespond& respond) {
  ServedChannel* const channel = site.service.find(key);
  const HlsSegmenter* const hls = channel != nullptr ? channel->use_hls(monotonic_now()) : nullptr;
  const HlsSegment* const segment = hls != nullptr ? hls->find(number) : nullptr;
  if (segment == nullptr)
    return respond(refuse(site.refusals.not_found, http_status::kNotFound, "there is no such segment now"));
  HttpAnswer answer = stream_header(site, request);
  answer.body = std::make_unique<SharedOctets>(segment->octets);
  respond(std::move(answer));
}

}  // namespace

void serve_hls(ServeSite& site, const HttpRequest& request, std::string_view rest, const HttpRespond& respond) {
  const ValueResult<ChannelPath> path = parse_channel_path(rest, request.query);
  if (!path) return respond(refuse(site.refusals.bad_path, http_status::kBadRequest, path.error().problem));
  Result<ChannelKey, HttpAnswer> key = key_of(site, *path);
  if (!key) return respond(std::move(key.error()));
  if (const std::optional<std::uint64_t> number = segment_number(path->file)) {
    return serve_segment(site, request, *key, *number, respond);
  }
  const bool is_index = path->file == "index.m3u8";
  if (!is_index && path->file != "live.m3u8") {
    return respond(refuse(site.refusals.not_found, http_status::kNotFound, "there are index.m3u8 and what it names"));
  }
  const Result<ServedChannel*, StreamService::Refused> opened = site.service.open(*key);
  if (!opened) return respond(refusal_of(opened.error()));
  (*opened)->await_segment(
      kServeStartWait, [&site, request, respond, key = *key, is_index](const std::optional<std::string>& why_not) {
        if (why_not) return respond(refuse(site.refusals.nothing_came, http_status::kGatewayTimeout, *why_not));
        ServedChannel* const channel = site.service.find(key);
        const HlsSegmenter& hls = *channel->use_hls(monotonic_now());
        respond(hls_list(site, request,
                         is_index ? hls_index(channel->stream().codecs(), hls.bits_per_second(), request.query)
                                  : hls.playlist(request.query)));
      });
}

}  // namespace amt
