#pragma once
/// Native multicast before the tunnel (RFC 8777 §3.1.1, D-3.1.1-a (1)): for each channel that is wanted, which of the
/// two is to bring it.

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "amt/channel.hh"
#include "base/keyed_hash.hh"
#include "base/state_record.hh"
#include "gateway/data_watch.hh"
#include "membership/source_filter.hh"

namespace amt {

struct NativeOptions {
  /// The time that the local network has for its first packet before the tunnel is asked as well: enough for a join on
  /// the local link, and hardly felt where there is no native multicast (as RFC 8305 §5 does with connections).
  Duration head_start = std::chrono::milliseconds(250);
  /// From the first native packet on both ways bring the channel for this long; then one of them is left.
  Duration overlap = std::chrono::seconds(1);
  /// Native traffic that pauses for this long, or four times the longest recent pause if that is more, has stopped.
  Duration silence = std::chrono::seconds(1);
  /// The same before there is a rhythm to judge by.
  Duration silence_unknown = std::chrono::seconds(3);
  /// Native traffic that failed again before it had lasted this long is held down: first `hold_down`, then twice as
  /// long each time.
  Duration steady = std::chrono::minutes(1);
  Duration hold_down = std::chrono::seconds(10);
  Duration hold_down_max = std::chrono::minutes(5);
};

/// The way that brings a channel now.
enum class ServedBy : std::uint8_t {
  kNobody,  ///< joined natively, the head start is not over
  kTunnel,  ///< the tunnel is asked for it; native packets would be noticed, unless the native join is held down
  kNative,
  kBoth,  ///< for the overlap
};
[[nodiscard]] std::string_view to_string(ServedBy served);

/// Of `group` this is to be joined natively; INCLUDE({}): nothing.
struct JoinNatively {
  IpAddress group;
  SourceFilter filter;
};
/// Of `group` this is wanted of the relays; INCLUDE({}): nothing.
struct AskTunnel {
  IpAddress group;
  SourceFilter filter;
};
/// A channel changed over, for the log: one sentence.
struct ChangedOver {
  std::string text;
};
using NativeStep = std::variant<JoinNatively, AskTunnel, ChangedOver>;

/// The verdict on a packet.
enum class NativeVerdict : std::uint8_t {
  kUnwanted,
  kDeliver,
  kCheck,  ///< the other way may bring, or just have brought, the same: deliver it unless it is a copy
};

/// Decides, never sends: one input, then `poll_step` until it gives nothing. Time is an argument. Not thread-safe.
///
/// A channel is joined natively at once and asked of the tunnel after the head start. Native packets end that: after
/// the overlap the tunnel is let go, unless native reception brought less than half of what the tunnel did. When they
/// stop the tunnel is asked again, and the native join stays. Reception that fails again and again is left natively,
/// too, for a while that grows: so there are never both for longer than the overlap. A pause in which the tunnel
/// brought nothing either is the source's, and no failure. Of a group that takes any source, packets of any source
/// count.
class NativePreference {
 public:
  explicit NativePreference(NativeOptions options = {}, const KeyedHash& hash = KeyedHash());

  /// The filter of `group`; INCLUDE({}): nothing is wanted.
  void set_membership(Instant now, const IpAddress& group, const SourceFilter& filter);
  /// A packet arrived natively, wanted or not. Data path: one hash probe, and a search among the sources of the group.
  [[nodiscard]] NativeVerdict handle_native(Instant now, const IpAddress& source, const IpAddress& group);
  /// A packet, wanted of it, arrived by the tunnel. Data path, too.
  [[nodiscard]] NativeVerdict handle_tunnel(Instant now, const IpAddress& source, const IpAddress& group);
  void handle_timeout(Instant now);
  [[nodiscard]] Instant next_deadline() const { return deadline_; }
  [[nodiscard]] std::optional<NativeStep> poll_step();
  [[nodiscard]] bool has_steps() const { return !steps_.empty(); }

  /// For another process. Everything has been polled.
  void save(StateRecordWriter& out) const;
  /// Of one that knows nothing yet: what is joined is to be joined there, too. What cannot be makes `in` bad.
  void restore(Instant now, StateRecordReader& in);

  /// Some packets are `kCheck`: the packets seen so far must be remembered.
  [[nodiscard]] bool may_double() const { return may_double_; }
  /// The filters of all groups, by either way. In no order.
  void for_each_wanted(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;
  /// In no order.
  void for_each_channel(const std::function<void(const Channel& channel, ServedBy served)>& visit) const;

 private:
  enum class State : std::uint8_t {
    kWaiting,   ///< for the first native packet
    kOverlap,   ///< until `until`
    kNative,    ///< the tunnel is not asked
    kHeldDown,  ///< left natively, until `until`
  };
  struct Entry {
    std::optional<IpAddress> source{};  ///< none: any
    State state = State::kWaiting;
    bool tunnel_asked = false;
    /// `kWaiting`: native traffic has been there and stopped.
    bool stopped = false;
    /// `kWaiting`: when the tunnel is asked, if it is not.
    Instant until{};
    /// Copies of packets that the tunnel let go of may still come, or be about to come natively.
    Instant doubles_until{};
    Instant native_since{};
    Instant last_native{};
    /// `kOverlap`: since it began; `kWaiting`: since native traffic stopped.
    std::uint64_t native_packets = 0;
    std::uint64_t tunnel_packets = 0;
    std::uint32_t failures = 0;
    DataWatch rhythm;

    /// See base/state_record.hh.
    template <typename Io, typename Self>
    static void fields(Io& io, Self& self) {
      io(self.source, self.tunnel_asked, self.stopped, self.native_packets, self.tunnel_packets, self.failures,
         self.rhythm);
      io.choice(self.state, State::kHeldDown);
      io.moments(self.until, self.doubles_until, self.native_since, self.last_native);
    }
  };
  struct Group {
    SourceFilter wanted;
    /// One for each source, in their order; of a group that takes any source, one.
    std::vector<Entry> entries;
    SourceFilter native_emitted;
    SourceFilter tunnel_emitted;

    [[nodiscard]] bool is_possible() const;
  };

  static Entry* find(Group& group, const IpAddress& source);
  static NativeVerdict verdict(const Entry& entry, Instant now);
  [[nodiscard]] Instant deadline_of(const Entry& entry) const;
  [[nodiscard]] Instant silence_of(const Entry& entry) const;
  static void ask_tunnel(Entry& entry);
  void begin_overlap(Instant now, Entry& entry);
  void end_overlap(Instant now, Entry& entry, const IpAddress& group);
  void serve_natively(Instant now, Entry& entry, const IpAddress& group);
  void stop_native(Instant now, Entry& entry, const IpAddress& group);
  void count_failure(Instant now, Entry& entry, const IpAddress& group);
  /// Leaves the channel natively; says how long for.
  [[nodiscard]] Duration hold_down(Instant now, Entry& entry);
  void emit_changes(const IpAddress& address, Group& group);
  void change_over(const Entry& entry, const IpAddress& group, const std::string& text);
  /// Looks at all entries: when something is due next, and whether anything may come twice.
  void refresh_deadline(Instant now);

  NativeOptions options_;
  boost::unordered_flat_map<IpAddress, Group, KeyedHash> groups_;
  std::deque<NativeStep> steps_;
  Instant deadline_ = kNoDeadline;
  bool may_double_ = false;
};

}  // namespace amt
