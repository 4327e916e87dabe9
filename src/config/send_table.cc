#include <limits>

#include "config/command_tables.hh"
#include "config/values.hh"

namespace amt {

CommandTable send_table(SendConfig& config) {
  constexpr std::uint64_t kNoUpperBound = std::numeric_limits<std::uint64_t>::max();
  CommandTable table;
  table.name = "send";
  table.summary = "a multicast test source";
  table.synopsis = "[OPTION]... GROUP:PORT [FILE]";
  table.description =
      "Sends numbered, checksummed packets to a multicast group; amt receive --verify counts which of them arrive. "
      "With FILE, "
      "or - for standard input, sends its bytes instead: an MPEG transport stream in the time of its own clock (PCR), "
      "seven "
      "packets to a datagram; anything else at --rate.\n\n"
      "Listeners on this host receive it, too.";
  table.examples = {
      {"Numbered packets, 5 Mbit/s", "amt send 232.1.1.1:5001 --interface eth0"},
      {"A thousand of them, over IPv6", "amt send [ff3e::1]:5001 --interface eth0 --rate 20M --count 1000"},
      {"A video", "amt send 232.1.1.1:5001 --interface eth0 video.ts"},
  };
  table.options.push_back({.name = "group",
                           .value = "GROUP:PORT",
                           .help = "the multicast group and the UDP port; IPv6 as [ff3e::1]:5001",
                           .example = "232.1.1.1:5001",
                           .positional = true,
                           .required = true,
                           .apply = into(config.group, parse_group_endpoint)});
  table.options.push_back({.name = "file",
                           .value = "FILE",
                           .help = "what to send, - for standard input",
                           .default_text = "numbered packets",
                           .example = "video.ts",
                           .positional = true,
                           .completion = Completion::kFile,
                           .apply = into(config.file, parse_path)});
  table.options.push_back({.name = "interface",
                           .value = "IF",
                           .group = "Packets",
                           .help = "interface to send on",
                           .default_text = "the one that the route to the group uses",
                           .example = "eth0",
                           .completion = Completion::kInterface,
                           .apply = into(config.interface, parse_interface_name)});
  table.options.push_back({.name = "source",
                           .value = "ADDR",
                           .group = "Packets",
                           .help = "source address, one of this host's",
                           .default_text = "the interface's",
                           .example = "198.51.100.10",
                           .apply = into(config.source, parse_unicast_address)});
  table.options.push_back({.name = "ttl",
                           .value = "N",
                           .group = "Packets",
                           .help = "TTL or Hop Limit; a relay forwards what has more than 1",
                           .default_text = "16",
                           .example = "16",
                           .apply = number_into(config.ttl, 0, 255)});
  table.options.push_back({.name = "size",
                           .value = "BYTES",
                           .group = "Packets",
                           .help = "UDP payload of a packet",
                           .default_text = "1316",
                           .example = "1316",
                           .apply = number_into(config.size_octets, kSendSizeMin, kSendSizeMax)});
  table.options.push_back({.name = "rate",
                           .value = "BITS/s",
                           .group = "Pace",
                           .help = "UDP payload bits per second: 5000000, 500k, 5M, 1G",
                           .default_text = "5M; for a transport stream its own clock",
                           .example = "5M",
                           .apply = into(config.rate_bits_per_second, parse_bit_rate)});
  table.options.push_back(
      {.name = "count",
       .value = "N",
       .group = "Pace",
       .help = "stop after so many packets",
       .default_text = "no limit",
       .example = "1000",
       .apply = into(config.count, [](std::string_view text) { return parse_number(text, 1, kNoUpperBound); })});
  table.finish = [&config]() -> std::optional<std::string> {
    if (config.source && config.source->family() != config.group.address.family()) {
      return "--source " + config.source->to_string() + ": not of the address family of the group " +
             config.group.address.to_string();
    }
    return std::nullopt;
  };
  return table;
}

}  // namespace amt
