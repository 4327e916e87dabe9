#include "amt/channel.hh"

namespace amt {

std::string Channel::to_string() const {
  return source ? source->to_string() + '@' + group.to_string() : group.to_string();
}

std::size_t hash_value(const Channel& channel) {
  const std::size_t group = hash_value(channel.group);
  return channel.source ? group * 31 + hash_value(*channel.source) : group;
}

}  // namespace amt
