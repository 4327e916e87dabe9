#include "library/core.hh"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "library/c_values.hh"
#include "library/receiver_config.hh"
#include "library/way_to_relay.hh"
#include "sys/os_random.hh"

namespace amt {
namespace {

/// Its options are read as `amt receive` reads them, which takes a URL too.
constexpr const char* kAnyUrl = "amt://239.0.1.0";

bool is_unicast(const IpAddress& address) {
  return !address.is_multicast() && !address.is_unspecified() && !address.is_broadcast();
}

class CallerRandom final : public Random {
 public:
  explicit CallerRandom(const amt_core_options& options)
      : fill_(options.fill_random), context_(options.random_context) {}
  void fill(std::span<std::byte> out) override { fill_(context_, out.data(), out.size()); }

 private:
  void (*fill_)(void* context, void* octets, std::size_t size);
  void* context_;
};

Unexpected<Failure> argument_failure(std::string text) {
  return Unexpected<Failure>({AMT_ERROR_ARGUMENT, std::move(text)});
}

Result<amt_core_options, Failure> complete(const amt_core_options* given) {
  const amt_core_options defaults = AMT_CORE_OPTIONS_INIT;
  Result<amt_core_options, Failure> options = known_part(given, defaults, "amt_core_options");
  if (!options) return options;
  for (const char* text : {options->relay, options->discovery, options->discover_order, options->local}) {
    if (!is_bounded(text)) return argument_failure("amt_core_options: a text without end");
  }
  return options;
}

HostAddresses no_names(const std::string&) {
  return Unexpected<HostLookupProblem>({"names are not looked up here", false});
}

Result<ClientOptions, Failure> client_options(const amt_core_options& options) {
  amt_receiver_options read = AMT_RECEIVER_OPTIONS_INIT;
  read.relay = options.relay;
  read.discovery = options.discovery;
  read.discover_order = options.discover_order;
  read.local = options.local;
  Result<ReceiveConfig, Failure> config = receive_config(kAnyUrl, read);
  if (!config) return Unexpected<Failure>({AMT_ERROR_ARGUMENT, std::move(config.error().text)});
  Result<ClientOptions, std::string> client = client_options(config->relay, no_names);
  if (!client) return Unexpected<Failure>({AMT_ERROR_NAME, std::move(client.error())});
  client->gateway.ecn_capable = options.reads_ecn != 0;
  client->payloads = true;
  return std::move(*client);
}

}  // namespace

Result<std::unique_ptr<LibraryCore>, Failure> LibraryCore::open(const amt_core_options* given, std::int64_t now_ns) {
  if (now_ns < 0 || now_ns > AMT_TIME_MAX) return argument_failure("a time out of bounds");
  const Result<amt_core_options, Failure> options = complete(given);
  if (!options) return Unexpected<Failure>(options.error());
  Result<ClientOptions, Failure> client = client_options(*options);
  if (!client) return Unexpected<Failure>(client.error());
  std::unique_ptr<Random> random;
  if (options->fill_random != nullptr) {
    random = std::make_unique<CallerRandom>(*options);
  } else {
    random = std::make_unique<OsRandom>();
  }
  const Instant now{std::chrono::nanoseconds(now_ns)};
  return std::unique_ptr<LibraryCore>(new LibraryCore(std::move(*client), std::move(random), now));
}

LibraryCore::Done LibraryCore::advance(std::int64_t now_ns) {
  if (now_ns < 0 || now_ns > AMT_TIME_MAX) return argument_failure("a time out of bounds");
  if (is_shut_down_) return Unexpected<Failure>({AMT_ERROR_ORDER, {}});
  now_ = std::max(now_, Instant(std::chrono::nanoseconds(now_ns)));
  return {};
}

LibraryCore::Done LibraryCore::begin_input(std::int64_t now_ns) {
  if (!is_polled_) return Unexpected<Failure>({AMT_ERROR_ORDER, {}});
  Done done = advance(now_ns);
  if (done) is_polled_ = false;
  return done;
}

LibraryCore::Done LibraryCore::set_membership(std::int64_t now_ns, const amt_endpoint& group, int mode,
                                              std::span<const amt_endpoint> sources) {
  const std::optional<Endpoint> wanted = endpoint_of(group);
  if (!wanted || (mode != AMT_INCLUDE && mode != AMT_EXCLUDE)) return argument_failure("no group, or no filter mode");
  SourceList list;
  for (const amt_endpoint& source : sources) {
    const std::optional<Endpoint> one = endpoint_of(source);
    if (!one || one->address.family() != wanted->address.family() || !is_unicast(one->address)) {
      return argument_failure("a source that is none");
    }
    list.push_back(one->address);
  }
  SourceFilter filter;
  filter.mode = mode == AMT_INCLUDE ? FilterMode::kInclude : FilterMode::kExclude;
  filter.sources = to_source_list(list);
  if (!client_.may_join(wanted->address, filter)) return argument_failure("no relay would take that group");
  Done begun = begin_input(now_ns);
  if (!begun) return begun;
  if (!client_.set_membership(now_, wanted->address, filter)) return argument_failure("no relay would take that group");
  return {};
}

LibraryCore::Done LibraryCore::receive(std::int64_t now_ns, std::uint32_t socket,
                                       std::span<const amt_datagram> datagrams) {
  received_.clear();
  for (const amt_datagram& one : datagrams) {
    const std::optional<Endpoint> from = endpoint_of(one.from);
    if (!from || (one.octets == nullptr && one.size != 0))
      return argument_failure("a datagram of nobody's, or of nothing");
    const MutableBytes octets(static_cast<std::byte*>(one.octets), one.size);
    received_.push_back({.from = *from, .bytes = octets, .segment_octets = 0, .ecn = static_cast<Ecn>(one.ecn & 3U)});
  }
  Done begun = begin_input(now_ns);
  if (begun) client_.handle_datagrams(now_, SocketId{socket}, received_);
  return begun;
}

LibraryCore::Done LibraryCore::timeout(std::int64_t now_ns) {
  Done begun = begin_input(now_ns);
  if (begun) client_.handle_timeout(now_);
  return begun;
}

LibraryCore::Done LibraryCore::shutdown(std::int64_t now_ns) {
  Done begun = begin_input(now_ns);
  if (!begun) return begun;
  is_shut_down_ = true;
  client_.shutdown(now_);
  return begun;
}

amt_receiver_statistics LibraryCore::statistics() const {
  amt_receiver_statistics all = statistics_of(client_);
  all.packets = packet_count_;
  all.octets = octet_count_;
  return all;
}

}  // namespace amt
