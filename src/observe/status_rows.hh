#pragma once
/// The rows of a status as JSON, by the million: written straight into a string.

#include <string>

#include "observe/relay_slices.hh"
#include "observe/status.hh"

namespace amt {

/// `{"group":...,"mode":...,"sources":[...]` and `end`.
void append_membership(std::string& out, const MembershipStatus& membership, std::string_view end = "}");

/// One list: the text between its brackets.
class JsonRows {
 public:
  void add_tunnel(std::string& out, const TunnelPart& part);
  void add_channel(std::string& out, const ChannelStatus& channel);

 private:
  void separate(std::string& out);
  bool is_first_ = true;
  bool is_first_group_ = true;
};

}  // namespace amt
