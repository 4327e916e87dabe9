#include "relay/gateway_fields.hh"

#include <algorithm>
#include <limits>

#include "base/assert.hh"

namespace amt {

GatewayFieldsChoice::GatewayFieldsChoice(GatewayFieldsPolicy policy, const KeyedHash& hash, Duration query_interval,
                                         std::size_t contacts_max)
    : policy_(policy), soon_(std::min(kSoon, query_interval * 3 / 4)), hash_(hash) {
  AMT_ASSERT(contacts_max > 0);
  if (policy_ == GatewayFieldsPolicy::kAuto) contacts_.resize(contacts_max);
}

GatewayFieldsChoice::Contact& GatewayFieldsChoice::contact(const TunnelEndpoint& from) {
  const std::uint64_t tag = hash_(from);
  Contact& found = contacts_[tag % contacts_.size()];
  if (found.tag != tag) {
    found = Contact{};
    found.tag = tag;
  }
  return found;
}

void GatewayFieldsChoice::note_discovery(const TunnelEndpoint& from, wire::DiscoveryNonce nonce) {
  if (policy_ == GatewayFieldsPolicy::kAuto) contact(from).discovery = nonce;
}

bool GatewayFieldsChoice::for_request(Instant now, const TunnelEndpoint& from, const wire::Request& request) {
  if (policy_ != GatewayFieldsPolicy::kAuto) return policy_ == GatewayFieldsPolicy::kAlways;
  return !breaks_on_fields(now, contact(from), request);
}

bool GatewayFieldsChoice::spoilt_igmp_query(const TunnelEndpoint& from, const wire::Request& request) {
  if (policy_ != GatewayFieldsPolicy::kAuto || !request.mirrored_flags) return false;
  const Contact& found = contact(from);
  return found.unanswered[static_cast<std::size_t>(wire::Protocol::kIgmp)] > 0 && found.igmp_nonce == request.nonce;
}

void GatewayFieldsChoice::mark_as_breaking(Instant until, Contact& contact) {
  contact.breaks_until = std::max(contact.breaks_until, until);
  // Its later messages answer Queries without G.
  contact.unanswered = {};
}

bool GatewayFieldsChoice::breaks_on_fields(Instant now, Contact& contact, const wire::Request& request) const {
  // These two mark every Request of their kind and need no memory; a random nonce is small once in 65536 times, and
  // then one Query lacks the fields.
  if (request.nonce.value <= kCountedNonceMax) return true;
  if (contact.discovery && contact.discovery->value == request.nonce.value) return true;
  // Only the kernel gateway's MLD Requests show it: remember it for its IGMP Requests.
  if (request.mirrored_flags) mark_as_breaking(now + kBreaksFor, contact);
  if (now < contact.breaks_until) return true;

  const auto protocol = static_cast<std::size_t>(request.protocol);
  std::uint8_t& unanswered = contact.unanswered[protocol];
  if (unanswered > 0 && now - contact.asked[protocol] > soon_) unanswered = 0;
  if (unanswered >= (contact.proven ? kUnansweredMaxWhenProven : 1)) {
    mark_as_breaking(now + kMayBreakFor, contact);
    return true;
  }
  ++unanswered;
  contact.asked[protocol] = now;
  if (request.protocol == wire::Protocol::kIgmp) contact.igmp_nonce = request.nonce;
  return false;
}

void GatewayFieldsChoice::note_update(const TunnelEndpoint& from) {
  if (policy_ != GatewayFieldsPolicy::kAuto) return;
  Contact& found = contact(from);
  // Whichever protocol it is for: a gateway may have nothing to report for the other.
  const bool answers_fields = std::ranges::any_of(found.unanswered, [](std::uint8_t count) { return count > 0; });
  if (answers_fields) found.proven = true;
  found.unanswered = {};
}

}  // namespace amt
