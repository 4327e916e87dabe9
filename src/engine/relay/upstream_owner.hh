#pragma once
/// Joins the channels of all workers of a relay once.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/relay/upstream.hh"
#include "engine/relay/upstream_screen.hh"
#include "engine/runtime/loop.hh"
#include "ip/address.hh"
#include "membership/merged.hh"

namespace amt {

/// The one owner of a relay's upstream interfaces: merges the workers' filters, joins and leaves, notices when an
/// interface goes, and opens it again when it is back. Lives on its loop's thread, and never keeps that for longer than
/// a portion of joins and leaves (a millisecond for each interface).
class UpstreamOwner {
 public:
  /// A capture for worker `worker` of the interface with number `upstream`, in place of the one before.
  using HandOut = std::function<void(std::size_t worker, std::size_t upstream, std::unique_ptr<UpstreamCapture>)>;
  using Open = std::function<SysResult<std::unique_ptr<Upstream>>()>;
  /// The capture of another process for this worker, if there is one.
  using Given = std::function<std::optional<GivenCapture>(const std::string& interface, std::size_t worker)>;
  /// Whether captures are to take datagrams that this host sends, which has a cost for each packet that leaves.
  using WantLocal = std::function<void(bool wanted)>;

  /// A change of the upstream, for followers of events.
  struct Change {
    enum class Kind : std::uint8_t { kJoined, kLeft, kInterfaceLost, kInterfaceBack, kInterfaceDown, kInterfaceUp };
    Kind kind{};
    Channel channel{};         ///< kJoined, kLeft: wanted of all interfaces, or not any more
    std::string interface {};  ///< the others
  };
  using Watcher = std::function<void(const Change&)>;

  /// Every interface gets `workers` captures. `watcher` may be empty.
  UpstreamOwner(Loop& loop, std::size_t workers, SsmRange ssm, HandOut hand_out, WantLocal want_local,
                Watcher watcher = {});

  /// Opens one more interface, also while others are in use: the merged channels are joined there, too. `open` is
  /// called again whenever the interface was lost. Error: nothing has changed; EMFILE where there are `kUpstreamsMax`
  /// already.
  [[nodiscard]] SysResult<void> add(Open open, const Given& given = {});
  /// Leaves everything on that interface and closes it. Nothing where there is none of that name.
  void remove(const std::string& interface);

  /// The filter of one worker changed. It is joined or left when its turn comes.
  void apply(const FilterChange& change);
  /// The same for channels that another process has joined before: the watcher is not called.
  void restore(const FilterChange& change);
  /// The capture of interface number `upstream` heard these.
  void handle_queries(std::size_t upstream, const std::vector<HeardQuery>& queries);
  /// A capture says that its interface is gone: sooner than this would have been noticed.
  void check_now();
  /// A worker saw a packet of this relay come back.
  void tell_return(const ReturnedPacket& packet);
  /// Leaves everything.
  void shutdown();

  /// The descriptors that the joins of all interfaces may take.
  [[nodiscard]] DescriptorBudget& descriptors() { return descriptors_; }

  /// No interface is gone, or down, as far as the last look showed.
  [[nodiscard]] bool all_are_up() const;
  /// `number`: as its captures have it.
  void for_each(const std::function<void(const Upstream&, std::size_t number)>& visit) const;

 private:
  struct Place {
    Open open;
    /// None after `remove`: the number of the interface is kept, for when it is added again.
    std::unique_ptr<Upstream> upstream{};
    std::string interface {};
    bool loss_told = false;
    bool is_down = false;
    /// It leads back to this relay: nothing is joined there.
    bool refused = false;
  };

  [[nodiscard]] SysResult<void> open_again(std::size_t index);
  [[nodiscard]] SysResult<void> take(std::size_t index, std::unique_ptr<Upstream> upstream, const Given& given);
  /// The change of the merged membership, if it changed.
  std::optional<FilterChange> merge(const FilterChange& change);
  [[nodiscard]] bool has_upstream(std::size_t index) const {
    return index < places_.size() && places_[index].upstream != nullptr;
  }
  template <typename F>
  void for_each_open(F&& f) const {
    for (const Place& place : places_) {
      if (place.upstream) f(place);
    }
  }
  void set_membership(const Place& place, const IpAddress& group, const SourceFilter& filter);
  void join_all(const Place& place);
  void check_for_loop(Place& place);
  void check_link(Place& place) const;
  /// Whether a program of this host may be a source that `filter` asks for.
  [[nodiscard]] bool may_be_local(const SourceFilter& filter) const;
  void look_at_addresses();
  void tell_local();
  void report(const FilterChange& merged) const;
  void report(Change::Kind kind, const std::string& interface) const;
  void report_back(const Place& place) const;
  void on_work_timer();
  void on_retry_timer();
  /// After the last portion.
  void look_at_missing(Instant now);
  void on_check_timer();
  void on_report_timer();
  void set_report_timer();

  std::size_t workers_;
  SsmRange ssm_;
  HandOut hand_out_;
  WantLocal want_local_;
  Watcher watcher_;
  DescriptorBudget descriptors_;
  /// Of this host.
  std::vector<IpAddress> addresses_;
  /// Groups that a program of this host may send to, and whether the captures know.
  std::size_t local_groups_ = 0;
  bool local_told_ = false;
  MergedMembership merged_;
  std::deque<Place> places_;
  /// After the last retry.
  std::size_t joins_missing_ = 0;
  /// When the log may report missing joins again.
  Instant next_warning_{};
  Instant next_return_warning_{};
  Timer work_timer_;
  Timer retry_timer_;
  Timer check_timer_;
  Timer report_timer_;
};

}  // namespace amt
