#pragma once
/// All interfaces on which a gateway receives natively: one that was given, or those by which the sources are routed.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/gateway/native_lan.hh"
#include "sys/netlink.hh"
#include "sys/network_watch.hh"

namespace amt {

struct NativeLansOptions {
  /// None: of each source the one that its route uses, and after it when it changes.
  std::optional<std::string> interface;
  /// Where the gateway delivers, its own interface among them: never joined on (NativeLanOptions).
  std::vector<std::string> downstreams;
  /// Captures of another process; those of other interfaces are left alone.
  std::vector<GivenDescriptor> captures = {};
};

/// A source is joined on one interface at a time, so that nothing comes twice. Lives on its loop's thread.
class NativeLans {
 public:
  /// `random` must outlive it.
  NativeLans(Loop& loop, NativeLansOptions options, Random& random, NativeLan::DataHandler on_data);

  /// INCLUDE({}) leaves.
  void set_membership(const IpAddress& group, const SourceFilter& filter);
  void shutdown();
  /// For another process, while nothing is being read.
  void append_descriptors(std::vector<LentDescriptor>& out) const;
  void for_each(const std::function<void(const NativeLan&)>& visit) const;

 private:
  struct Lan {
    NativeLan lan;
    /// The filters that were set, by group.
    std::map<IpAddress, SourceFilter> told = {};
  };

  /// `local`: of this change.
  void assign(const IpAddress& group, const SourceFilter& filter, LocalInterfaces& local);
  void watch_routes();

  Loop& loop_;
  NativeLansOptions options_;
  Random& random_;
  NativeLan::DataHandler on_data_;
  std::map<IpAddress, SourceFilter> wanted_;
  Timer routes_timer_;
  std::map<std::string, Lan> lans_;
  std::optional<NetworkWatch> network_;
  // Last: its handler uses the members above.
  std::optional<ReadWatch> network_reading_;
};

}  // namespace amt
