#include "membership/source_filter.hh"

#include <algorithm>
#include <iterator>

namespace amt {

SourceList set_union(std::span<const IpAddress> a, std::span<const IpAddress> b) {
  SourceList out;
  out.reserve(a.size() + b.size());
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

SourceList set_intersection(std::span<const IpAddress> a, std::span<const IpAddress> b) {
  SourceList out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

SourceList set_difference(std::span<const IpAddress> a, std::span<const IpAddress> b) {
  SourceList out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

SourceList to_source_list(std::span<const IpAddress> sources) {
  SourceList out(sources.begin(), sources.end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool SourceFilter::accepts(const IpAddress& source) const {
  const bool listed = std::binary_search(sources.begin(), sources.end(), source);
  return listed == (mode == FilterMode::kInclude);
}

std::string SourceFilter::to_string() const {
  std::string text = mode == FilterMode::kInclude ? "INCLUDE{" : "EXCLUDE{";
  for (const IpAddress& source : sources) {
    if (text.back() != '{') text += ", ";
    text += source.to_string();
  }
  return text + "}";
}

SourceFilter filter_of(const Channel& channel) {
  if (channel.source) return {FilterMode::kInclude, {*channel.source}};
  return {FilterMode::kExclude, {}};
}

std::vector<Channel> channels_only_in(const SourceFilter& filter, const SourceFilter& other, const IpAddress& group) {
  std::vector<Channel> channels;
  if (filter.mode == FilterMode::kExclude) {
    if (other.mode != FilterMode::kExclude) channels.push_back({std::nullopt, group});
    return channels;
  }
  const SourceList known = other.mode == FilterMode::kInclude ? other.sources : SourceList{};
  for (const IpAddress& source : set_difference(filter.sources, known)) channels.push_back({source, group});
  return channels;
}

}  // namespace amt
