#include "sys/host_lookup.hh"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "sys/socket_address.hh"

namespace amt {
namespace {

constexpr addrinfo hints() {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_DGRAM;
  wanted.ai_flags = AI_ADDRCONFIG;
  return wanted;
}

/// Of getaddrinfo()'s outcome; frees the list.
HostAddresses addresses_of(int error, addrinfo* first) {
  if (error != 0) {
    return Unexpected<HostLookupProblem>(
        HostLookupProblem{error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error),
                          error == EAI_AGAIN || error == EAI_SYSTEM || error == EAI_FAIL});
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(first, &::freeaddrinfo);
  std::vector<IpAddress> addresses;
  for (const addrinfo* entry = first; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    if (entry->ai_addrlen > SocketAddress::capacity()) continue;
    std::memcpy(address.data(), entry->ai_addr, entry->ai_addrlen);
    const std::optional<Endpoint> endpoint = address.endpoint();
    if (!endpoint || std::find(addresses.begin(), addresses.end(), endpoint->address) != addresses.end()) continue;
    addresses.push_back(endpoint->address);
  }
  if (addresses.empty()) {
    return Unexpected<HostLookupProblem>(HostLookupProblem{"it has no IPv4 or IPv6 address"});
  }
  return addresses;
}

}  // namespace

HostAddresses look_up_host(const std::string& name) {
  const addrinfo wanted = hints();
  addrinfo* first = nullptr;
  const int error = ::getaddrinfo(name.c_str(), nullptr, &wanted, &first);
  return addresses_of(error, first);
}

struct HostLookup::Request {
  std::string name;
  addrinfo wanted = hints();
  gaicb control{};
};

HostLookup::HostLookup(const std::string& name) : request_(std::make_unique<Request>()) {
  request_->name = name;
  request_->control.ar_name = request_->name.c_str();
  request_->control.ar_request = &request_->wanted;
  std::array<gaicb*, 1> list{&request_->control};
  // Where it cannot be begun, the outcome is an error.
  static_cast<void>(::getaddrinfo_a(GAI_NOWAIT, list.data(), 1, nullptr));
}

HostLookup::~HostLookup() {
  const int cancelled = ::gai_cancel(&request_->control);
  // The C library writes there until it has its answer.
  if (cancelled == EAI_NOTCANCELED) static_cast<void>(request_.release());
}

std::optional<HostAddresses> HostLookup::poll() const {
  const int error = ::gai_error(&request_->control);
  if (error == EAI_INPROGRESS) return std::nullopt;
  return addresses_of(error, std::exchange(request_->control.ar_result, nullptr));
}

}  // namespace amt
