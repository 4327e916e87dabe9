/// The state document of a relay: whatever it says, a relay takes it over within its limits or refuses it; and what
/// that relay then says of itself another one takes over to the letter.
///
/// The first octet says what follows: a whole document, or records alone, which get a header and a hash that are right
/// since no fuzzer guesses one.

#include <cstdint>
#include <memory>
#include <vector>

#include "allocations.hh"
#include "fuzz_target.hh"
#include "membership/handmade_datagrams.hh"
#include "relay/admission_recount.hh"
#include "relay/relay_restorer.hh"
#include "relay/state_document.hh"

namespace amt {
namespace {

using namespace relay_test;

constexpr std::size_t kTunnelsMax = 4;
constexpr std::size_t kEveryNumber = 1 << 16;
constexpr BootId kBoot{};
const LocalAddress kLocal{{ip("192.0.2.100"), kAmtPort}};
const Instant kNow{std::chrono::hours(1)};
/// A document's records are read one after the other, into objects that are used again.
constexpr fuzz::ParserBound kReading{4096, 32};

/// A relay that went on with a document.
class Heir {
 public:
  Heir(const StateReader& reader, bool with_events) : options_(options(with_events)), relay_(options_, random_, kNow) {
    RelayRestorer restorer({{&relay_}, [](const Endpoint&) { return 0; }, {kLocal}}, kNow);
    reader.visit(restorer);
    restorer.finish();
    AMT_ASSERT(restorer.restored() == relay_.tunnel_count());
  }

  Octets document() {
    StateRecords records(kNow);
    static_cast<void>(relay_.visit_states(0, kEveryNumber, [&](const TunnelState& state) {
      records.add(state);
      return true;
    }));
    static_cast<void>(relay_.visit_uses(0, kEveryNumber, [&](const TunnelUse& use) {
      records.add(use);
      return true;
    }));
    StateDocument document(kRelayState, kBoot, kNow);
    document.append(records.octets());
    return document.finish();
  }

  /// Lives its life to the end.
  void finish() {
    check();
    relay_.handle_timeout(kNow);
    check();
    relay_.handle_timeout(kNow + std::chrono::seconds(100));
    check();
    while (!relay_.shutdown(kNow + std::chrono::seconds(101))) {
    }
    while (relay_.poll_upstream()) {
    }
    AMT_ASSERT(options_.shared->admission.totals() == Admission::Totals{});
  }

 private:
  RelayOptions options(bool with_events) {
    RelayOptions out;
    out.limits.tunnels_max = kTunnelsMax;
    out.limits.tunnels_per_address_max = 2;
    out.limits.channels_max = 8;
    out.groups_per_tunnel_max = 3;
    out.sources_per_group_max = 2;
    out.contacts_max = 4;
    out.limited_prefixes_max = 4;
    out.answers.sources_max = 4;
    out.with_events = with_events;
    out.shared = std::make_shared<RelayShared>(out, random_, kNow);
    return out;
  }

  void check() {
    AMT_ASSERT(relay_.tunnel_count() <= kTunnelsMax);
    const Relay* const relay = &relay_;
    AMT_ASSERT(agrees_with_recount(options_.shared->admission, {&relay, 1}));
    relay_.for_each_tunnel([](const RelayTunnel& tunnel, const RouterState& router, Instant expires) {
      AMT_ASSERT(tunnel.local == kLocal && !router.empty() && router.group_count() <= 3);
      AMT_ASSERT(expires <= kNow + std::chrono::seconds(260));
    });
    // These have begun elsewhere. What begins here are the sources of a group whose filter mode became INCLUDE with
    // time.
    for (const RelayEvent& event : relay_.take_events()) {
      AMT_ASSERT(event.is_end() || (event.kind == RelayEvent::Kind::kChannelBegin && event.channel.source));
    }
  }

  SeededRandom random_{1};
  RelayOptions options_;
  Relay relay_;
};

Result<StateReader, StateRefusal> open(Bytes document) {
  return fuzz::within(kReading, document.size(),
                      [&] { return StateReader::open(document, kBoot, kNow, std::chrono::minutes(1)); });
}

void take_over(Bytes document, bool with_events) {
  const Result<StateReader, StateRefusal> reader = open(document);
  if (!reader) return;
  Heir first(*reader, with_events);
  const Octets said = first.document();
  const Result<StateReader, StateRefusal> again = open(said);
  AMT_ASSERT(again.has_value());
  Heir second(*again, with_events);
  AMT_ASSERT(second.document() == said);
  first.finish();
  second.finish();
}

}  // namespace
}  // namespace amt

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  amt::ByteReader in(amt::fuzz::input(data, size));
  const unsigned how = amt::fuzz::next_u8(in);
  const bool with_events = (how & 2) != 0;
  if ((how & 1) == 0) {
    amt::take_over(in.rest(), with_events);
    return 0;
  }
  amt::StateDocument document(amt::kRelayState, amt::kBoot, amt::kNow);
  document.append(in.rest());
  const std::vector<std::byte> whole = document.finish();
  amt::take_over(whole, with_events);
  return 0;
}
