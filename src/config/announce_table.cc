#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {
namespace {

/// A group to which announcements may be sent: any but link scope needs no interface, so all are taken.
ValueResult<IpAddress> parse_group(std::string_view text) {
  const ValueResult<IpAddress> address = parse_address(text);
  if (!address || address->is_multicast()) return address;
  return Unexpected<BadValue>(BadValue{"not a multicast group (224.0.0.0/4 or ff00::/8)"});
}

}  // namespace

CommandTable announce_table(AnnounceConfig& config) {
  CommandTable table;
  table.name = "announce";
  table.summary = "announce channels on the network (SAP)";
  table.synopsis = "[OPTION]... FILE";
  table.description =
      "Announces each channel of an M3U list, or the session of an SDP file, to whoever listens: `amt serve --sap`, "
      "VLC, "
      "ffmpeg and others (RFC 2974). Every five minutes, or less often where many sessions are announced, until it is "
      "stopped; then it takes them back.\n\n"
      "An announcement goes to 224.2.127.254 or, by the scope of its channel, to another group; over IPv6 to "
      "ff0x::2:7ffe. rtp:// entries are announced as RTP, others as UDP.";
  table.examples = {
      {"The channels that this host sends", "amt announce channels.m3u --interface eth0"},
      {"A session that has been described already", "amt announce session.sdp --interface eth0"},
  };
  table.options.push_back({.name = "file",
                           .value = "FILE",
                           .help = "M3U list, or a session description (SDP)",
                           .example = "channels.m3u",
                           .positional = true,
                           .required = true,
                           .completion = Completion::kFile,
                           .apply = into(config.file, parse_path)});
  table.options.push_back({.name = "interface",
                           .value = "IF",
                           .help = "interface to announce on",
                           .default_text = "the one that the route to the group uses",
                           .example = "eth0",
                           .repeatable = true,
                           .completion = Completion::kInterface,
                           .apply = append_to(config.interfaces, parse_interface_name)});
  table.options.push_back(
      {.name = "source",
       .value = "ADDR",
       .help = "source address, one of this host's; channels of the other family have the interface's",
       .default_text = "the interface's",
       .example = "198.51.100.10",
       .apply = into(config.source, parse_unicast_address)});
  table.options.push_back({.name = "group",
                           .value = "GROUP",
                           .help = "group to which announcements of its family are sent",
                           .default_text = "by the scope of the channel",
                           .example = "239.255.255.255",
                           .apply = into(config.group, parse_group)});
  table.options.push_back({.name = "ttl",
                           .value = "N",
                           .help = "TTL or Hop Limit",
                           .default_text = "255",
                           .example = "16",
                           .apply = number_into(config.ttl, 1, 255)});
  return table;
}

}  // namespace amt
