#include "demo/video.hh"

#include <fmt/format.h>

#include "demo/tunnel_log.hh"

namespace amt {
namespace {

/// Room for the whole stream in the listener, however slow the machine is: in MPEG-TS packets of 188 octets.
constexpr int kListenerPackets = 50'000;
constexpr int kHops = 8;

CommandLine ffmpeg(CommandLine arguments) {
  arguments.insert(arguments.begin(), {"ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-y"});
  return arguments;
}

std::string group_url(const FamilyPlan& plan) { return "udp://" + Endpoint{plan.channel.group, plan.port}.to_string(); }

}  // namespace

CommandLine make_video(const Path& file) {
  return ffmpeg(
      {"-f",         "lavfi",
       "-i",         fmt::format("testsrc2=size=640x360:rate=25:duration={}", kVideoSeconds),
       "-f",         "lavfi",
       "-i",         fmt::format("sine=frequency=440:beep_factor=4:sample_rate=48000:duration={}", kVideoSeconds),
       "-c:v",       "libx264",
       "-preset",    "ultrafast",
       "-pix_fmt",   "yuv420p",
       "-g",         "25",
       "-b:v",       "2M",
       "-maxrate",   "2M",
       "-bufsize",   "1M",
       "-c:a",       "aac",
       "-b:a",       "96k",
       "-f",         "mpegts",
       file.string()});
}

CommandLine stream_video(const Path& file, const FamilyPlan& plan) {
  return ffmpeg({"-re", "-i", file.string(), "-map", "0", "-c", "copy", "-f", "mpegts",
                 fmt::format("{}?pkt_size={}&ttl={}&localaddr={}", group_url(plan), kStreamPayloadOctets, kHops,
                             plan.source().to_string())});
}

CommandLine record_channel(const FamilyPlan& plan, const Path& file) {
  const std::string url =
      fmt::format("{}?sources={}&fifo_size={}&timeout={}", group_url(plan), plan.source().to_string(), kListenerPackets,
                  kRecorderPatienceSeconds * 1'000'000);
  return ffmpeg({"-i", url, "-map", "0", "-c", "copy", "-f", "mpegts", file.string()});
}

CommandLine list_frames(const Path& file) { return ffmpeg({"-i", file.string(), "-map", "0", "-f", "framemd5", "-"}); }

CommandLine save_picture(const Path& file, const Path& picture) {
  return ffmpeg({"-ss", std::to_string(kVideoSeconds / 2), "-i", file.string(), "-frames:v", "1", picture.string()});
}

}  // namespace amt
