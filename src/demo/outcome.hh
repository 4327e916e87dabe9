#pragma once
/// The measurements of the demo; `report.hh` words them.

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "demo/frames.hh"
#include "demo/plan.hh"
#include "demo/tunnel_log.hh"

namespace amt {

/// One program that received one channel.
struct ReceptionOutcome {
  std::string who;
  std::filesystem::path file;
  /// AMT between its host and the relay.
  std::vector<ControlMessage> messages;
  std::optional<Duration> first_data;
  /// Of the stream, as they came out of the interface, or as the program counted them.
  std::uint64_t packets = 0;
  /// From asking for the channel to its first datagram; nothing when that was not seen.
  std::optional<Duration> join;
  FrameComparison video;
  FrameComparison audio;

  [[nodiscard]] bool perfect() const { return video.all_equal() && audio.all_equal(); }
};

struct FamilyOutcome {
  FamilyPlan plan;
  /// Datagrams of the stream that left the source.
  std::uint64_t packets_sent = 0;
  /// The program on amt0, if there is one, and `amt receive`.
  std::vector<ReceptionOutcome> receptions;
  std::filesystem::path picture;
};

struct DemoOutcome {
  std::array<FamilyOutcome, 2> families;
  /// The relay's own account at the end of the stream: tunnels, and datagrams sent into them.
  std::size_t tunnels = 0;
  std::uint64_t datagrams_sent = 0;
  /// Tunnels that were left when everybody had gone.
  std::size_t tunnels_left = 0;
  /// Datagrams that the measurement itself missed, which makes its counts too low.
  std::uint64_t not_seen = 0;

  [[nodiscard]] std::size_t receptions() const { return families[0].receptions.size() + families[1].receptions.size(); }
  [[nodiscard]] std::size_t perfect_receptions() const {
    std::size_t perfect = 0;
    for (const FamilyOutcome& family : families) {
      for (const ReceptionOutcome& reception : family.receptions) perfect += reception.perfect() ? 1 : 0;
    }
    return perfect;
  }
};

}  // namespace amt
