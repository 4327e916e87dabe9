#pragma once
/// One real interface on which a gateway receives natively (`--native`).

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/byte_reader.hh"
#include "base/random.hh"
#include "engine/runtime/loop.hh"
#include "engine/runtime/named_descriptors.hh"
#include "membership/source_filter.hh"

namespace amt {

struct NativeLanOptions {
  std::string interface;
  /// Where the gateway delivers. A bridge that has one of these as a port, or another port of it, is the same LAN:
  /// native data there has already arrived where it is wanted, and would loop.
  std::vector<std::string> downstreams;
  /// The capture of another process on this interface, which goes on where that one stopped.
  std::optional<GivenDescriptor> capture = {};
};

/// Joins as a host of its own, by IGMPv3 and MLDv2 reports that it writes itself, and captures: if this host's kernel
/// joined, it would also deliver native data to every program that joined the group on the gateway's interface, a
/// second time. An interface that is not there, or goes, is waited for. Needs CAP_NET_RAW. Lives on its loop's thread.
class NativeLan {
 public:
  /// Whole IP datagrams that are wanted, checksums right; valid during the call.
  using DataHandler = std::function<void(Instant now, std::span<const Bytes> datagrams)>;

  /// `random` must outlive it.
  NativeLan(Loop& loop, NativeLanOptions options, Random& random, DataHandler on_data);
  ~NativeLan();
  NativeLan(NativeLan&&) noexcept;
  NativeLan& operator=(NativeLan&&) noexcept;

  /// INCLUDE({}) leaves.
  void set_membership(const IpAddress& group, const SourceFilter& filter);
  /// Leaves everything before this returns.
  void shutdown();
  /// For another process, while nothing is being read.
  void append_descriptors(std::vector<LentDescriptor>& out) const;

  [[nodiscard]] const std::string& interface() const;
  struct Statistics {
    bool up = false;  ///< the interface is there and has an address to report from
    std::size_t groups = 0;
    std::uint64_t drops = 0;  ///< by the kernel, for want of room; malformed, or wrong checksums
  };
  [[nodiscard]] Statistics statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
