#pragma once
/// A relay's state as a document (base/state_document.hh): for the process that takes over from this one, or comes
/// after it has died.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/state_document.hh"
#include "relay/relay.hh"
#include "relay/tunnel_state.hh"

namespace amt {

inline constexpr StateFormat kRelayState{"amtrelay", 1};

/// The state that all workers share.
struct SharedState {
  RelaySecret seed;
  Instant since{};
  /// Which worker an endpoint belongs to.
  std::uint32_t steering_key = 0;
  std::uint16_t workers = 1;
  bool is_draining = false;
  /// That there are sockets for.
  std::vector<LocalAddress> addresses{};
};

/// Makes records. The records of several writers may follow each other in any order.
class StateRecords {
 public:
  /// `written`: the document's.
  explicit StateRecords(Instant written) : written_(written) {}

  void add(const SharedState& shared);
  void add(const TunnelState& tunnel);
  void add(const TunnelUse& use);
  void add(const Relay::ChannelStatus& channel);
  void add(std::string_view counter, std::uint64_t value);

  [[nodiscard]] Bytes octets() const { return octets_; }
  void clear() { octets_.clear(); }

 private:
  Instant written_;
  StateOctets octets_;
};

/// Takes what is read, in the document's order. References end with the call.
class StateVisitor {
 public:
  StateVisitor() = default;
  StateVisitor(const StateVisitor&) = delete;
  StateVisitor& operator=(const StateVisitor&) = delete;
  virtual ~StateVisitor() = default;

  virtual void visit(const SharedState& shared) = 0;
  virtual void visit(const TunnelState& tunnel) = 0;
  virtual void visit(const TunnelUse& use) = 0;
  virtual void visit(const Relay::ChannelStatus& channel) = 0;
  virtual void visit(std::string_view counter, std::uint64_t value) = 0;
};

/// A document that has been looked at as a whole: each record in it can be read.
class StateReader {
 public:
  /// `document` outlives the result, and was written no longer than `age_max` before `now` in the boot `boot`.
  [[nodiscard]] static Result<StateReader, StateRefusal> open(Bytes document, const BootId& boot, Instant now,
                                                              Duration age_max);

  /// Its last record of this kind; nothing: it has none.
  [[nodiscard]] const std::optional<SharedState>& shared() const { return shared_; }
  void visit(StateVisitor& visitor) const;

 private:
  explicit StateReader(const StateBody& body) : body_(body) {}

  StateBody body_;
  std::optional<SharedState> shared_{};
};

}  // namespace amt
