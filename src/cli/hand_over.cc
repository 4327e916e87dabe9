#include "cli/hand_over.hh"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "cli/control_paths.hh"
#include "observe/hand_over_client.hh"
#include "sys/log.hh"
#include "sys/sealed_memory.hh"
#include "sys/service_manager.hh"

namespace amt {
namespace {

using Kind = NamedDescriptor::Kind;

/// Names of listeners.
constexpr const char* kControlListener = "control";
constexpr const char* kHttpListener = "http";

}  // namespace

Result<std::optional<DescriptorChannel>, std::string> ask_running_daemon(const std::vector<std::string>& paths,
                                                                         std::string& asked) {
  for (const std::string& path : paths) {
    asked = path;
    std::string why;
    SysResult<DescriptorChannel> channel = ask_for_hand_over(path, why);
    if (channel) return std::optional(std::move(*channel));
    if (is_nobody_there(channel.error())) continue;
    return Unexpected<std::string>(take_over_failure(path, why.empty() ? explain_asking(channel.error()) : why));
  }
  return std::optional<DescriptorChannel>();
}

std::string take_over_failure(const std::string& asked, std::string_view why) {
  return fmt::format("--take-over: {}: {} (it goes on)", asked, why);
}

std::optional<Claimant> admit_claimant(const UniqueFd& client, std::string_view role) {
  const SysResult<PeerIdentity> peer = peer_identity(client.get());
  if (!peer) return std::nullopt;
  if (peer->uid != 0 && peer->uid != ::geteuid()) {
    log_warn("process {} of user {} asked to take over, and is refused: this {}'s user alone may", peer->pid, peer->uid,
             role);
    return std::nullopt;
  }
  SysResult<std::pair<DescriptorChannel, DescriptorChannel>> ends = DescriptorChannel::pair();
  SysResult<void> sent;
  if (!ends) {
    sent = Unexpected<SysError>(ends.error());
  } else {
    const int their_end = ends->second.fd();
    sent = send_message(client.get(), std::array{std::byte{0}}, {&their_end, 1});
  }
  if (!sent) {
    log_warn("{}", sent.error().to_string());
    return std::nullopt;
  }
  log_info("process {} takes over", peer->pid);
  return Claimant{std::move(ends->first), peer->pid};
}

SysResult<void> send_part(DescriptorChannel& to, const StateOctets& document, std::vector<LentDescriptor> descriptors) {
  const SysResult<UniqueFd> memory = seal_memory(document);
  if (!memory) return Unexpected<SysError>(memory.error());
  descriptors.push_back({{.kind = Kind::kState}, memory->get()});
  return send_descriptors(to, descriptors);
}

Result<StateOctets, std::string> take_document(std::vector<GivenDescriptor>& given) {
  const std::optional<GivenDescriptor> memory = take_descriptor(given, Kind::kState);
  if (!memory) return Unexpected<std::string>("not there");
  SysResult<StateOctets> octets = read_sealed_memory(memory->descriptor.get(), kStateOctetsMax);
  if (!octets) return Unexpected<std::string>("not readable: " + octets.error().to_string());
  return std::move(*octets);
}

std::vector<LentDescriptor> lend_listeners(const Observation& observation) {
  std::vector<LentDescriptor> out;
  const auto lend = [&out](const std::optional<HttpListener>& listener, const char* name) {
    if (listener) out.push_back({{.kind = Kind::kListener, .name = name}, listener->listening_fd()});
  };
  lend(observation.control, kControlListener);
  lend(observation.http, kHttpListener);
  return out;
}

GivenListeners given_listeners(std::vector<GivenDescriptor> given) {
  GivenListeners out;
  for (GivenDescriptor& one : given) {
    if (one.what.kind != Kind::kListener) continue;
    (one.what.name == kControlListener ? out.control : out.http) = std::move(one.descriptor);
  }
  return out;
}

bool leave_in_store(const char* name, const std::function<SysResult<void>(DescriptorChannel&)>& leave) {
  SysResult<std::pair<DescriptorChannel, DescriptorChannel>> ends = DescriptorChannel::pair();
  SysResult<void> left = ends ? leave(ends->first) : Unexpected<SysError>(ends.error());
  if (left) left = store_descriptor(ends->second.fd(), name);
  if (!left) log_warn("--descriptor-store: {}; the tunnels end", left.error().to_string());
  return left.has_value();
}

void set_listener_files_kept(Observation& observation, bool kept) {
  for (std::optional<HttpListener>* const listener : {&observation.control, &observation.http}) {
    if (*listener) (*listener)->set_file_kept(kept);
  }
}

}  // namespace amt
