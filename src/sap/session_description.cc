#include "sap/session_description.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/printable.hh"
#include "ip/address.hh"

namespace amt {
namespace {

constexpr std::string_view kSpaces = " \t";

/// The next word of `rest`, which goes on behind it.
std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kSpaces), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(kSpaces));
  rest.remove_prefix(word.size());
  return word;
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool equals(std::string_view text, std::string_view lower_case) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(text, lower_case, {}, lower);
}

/// `IN IP4 224.2.1.1/127/3`: the address, without TTL and number of addresses.
std::optional<IpAddress> connection_of(std::string_view value) {
  if (next_word(value) != "IN") return std::nullopt;
  const std::string_view type = next_word(value);
  const std::string_view address = next_word(value);
  const std::optional<IpAddress> parsed = IpAddress::parse(address.substr(0, address.find('/')));
  if (!parsed || type != (parsed->is_v4() ? "IP4" : "IP6")) return std::nullopt;
  return parsed;
}

/// RFC 4570: `incl IN IP4 232.3.4.5 192.0.2.10 ...`; the destination may be `*`.
struct SourceFilterLine {
  std::optional<IpAddress> destination;
  IpAddress source{};
};
std::optional<SourceFilterLine> source_filter_of(std::string_view value) {
  if (next_word(value) != "incl" || next_word(value) != "IN") return std::nullopt;
  next_word(value);  // the addresses say it, too
  const std::string_view destination = next_word(value);
  const std::optional<IpAddress> source = IpAddress::parse(next_word(value));
  if (!source || !is_routed_unicast(*source)) return std::nullopt;
  SourceFilterLine line{.destination = IpAddress::parse(destination), .source = *source};
  if (!line.destination && destination != "*") return std::nullopt;
  return line;
}

/// One `m=` section, and what the session says for all.
struct Section {
  std::optional<IpAddress> connection{};
  std::vector<SourceFilterLine> filters{};
  std::uint16_t port = 0;
  bool is_udp = false;
  bool is_rtp = false;
  bool is_transport_stream = false;
  std::vector<std::string_view> payload_types{};
};

/// `video 5004/2 RTP/AVP 33`. RFC 3551: type 33 is MP2T. Over plain UDP RFC 8866 §5.14 wants a media type; VLC writes
/// "mpeg" there, others 33.
void take_medium(std::string_view value, Section& section) {
  next_word(value);
  const std::string_view port = next_word(value);
  section.port = number_of<std::uint16_t>(port.substr(0, port.find('/'))).value_or(0);
  const std::string_view protocol = next_word(value);
  section.is_udp = equals(protocol, "udp");
  section.is_rtp = equals(protocol, "rtp/avp");
  for (std::string_view format = next_word(value); !format.empty(); format = next_word(value)) {
    const bool is_named = equals(format, "mp2t") || equals(format, "video/mp2t") || equals(format, "mpeg");
    if (format == "33" || (section.is_udp && is_named)) section.is_transport_stream = true;
    section.payload_types.push_back(format);
  }
}

/// `96 MP2T/90000`, for a type of the section.
void take_rtpmap(std::string_view value, Section& section) {
  const std::string_view type = next_word(value);
  const std::string_view encoding = next_word(value);
  if (std::ranges::find(section.payload_types, type) == section.payload_types.end()) return;
  if (equals(encoding.substr(0, encoding.find('/')), "mp2t")) section.is_transport_stream = true;
}

std::optional<AnnouncedStream> stream_of(const Section& session, const Section& medium) {
  const std::optional<IpAddress>& group = medium.connection ? medium.connection : session.connection;
  if (!medium.is_transport_stream || !(medium.is_udp || medium.is_rtp) || medium.port == 0) return std::nullopt;
  if (!group || !is_forwardable_group(*group)) return std::nullopt;
  AnnouncedStream stream{
      .channel = {.source = std::nullopt, .group = *group}, .port = medium.port, .is_rtp = medium.is_rtp};
  // RFC 4570 §3: "A media-level attribute overrides any session-level one".
  for (const std::vector<SourceFilterLine>* const filters : {&session.filters, &medium.filters}) {
    for (const SourceFilterLine& one : *filters) {
      const bool is_meant = !one.destination || *one.destination == *group;
      if (is_meant && one.source.family() == group->family()) stream.channel.source = one.source;
    }
  }
  if (!stream.channel.source && SsmRange().contains(*group)) return std::nullopt;
  return stream;
}

/// Goes through the lines of a description.
class DescriptionReader {
 public:
  /// False: this is no description.
  bool take(char letter, std::string_view value) {
    switch (letter) {
      case 'o': {
        out_.identity = identity_of_line(value);
        return !out_.identity.empty();
      }
      case 's':
        out_.name = printable(value, SessionDescription::kNameOctetsMax);
        break;
      case 't':
        take_times(value);
        break;
      case 'c':
        current_->connection = connection_of(value);
        if (!out_.connection) out_.connection = current_->connection;
        break;
      case 'm':
        finish_medium();
        medium_ = {};
        current_ = &medium_;
        take_medium(value, medium_);
        break;
      case 'a':
        take_attribute(value);
        break;
      default:
        break;
    }
    return true;
  }

  Result<SessionDescription, SdpError> finish() {
    finish_medium();
    // RFC 8866 §5: version, origin and name are required.
    if (out_.identity.empty()) return Unexpected<SdpError>(SdpError::kMalformed);
    return std::move(out_);
  }

  /// `username sess-id sess-version nettype addrtype address`, without the third.
  static std::string identity_of_line(std::string_view value) {
    std::array<std::string_view, 6> words;
    for (std::string_view& word : words) word = next_word(value);
    if (words.back().empty()) return {};
    std::string identity;
    for (const std::size_t at : {0U, 1U, 3U, 4U, 5U}) identity += (at == 0 ? "" : " ") + std::string(words[at]);
    return identity.size() <= SessionDescription::kNameOctetsMax ? identity : std::string();
  }

 private:
  void finish_medium() {
    if (current_ == &medium_ && !out_.stream) out_.stream = stream_of(session_, medium_);
  }

  /// RFC 8866 §5.9: several times are possible; the last end counts, and 0 is none.
  void take_times(std::string_view value) {
    next_word(value);
    const std::uint64_t end = number_of<std::uint64_t>(next_word(value)).value_or(0);
    if (end == 0) is_endless_ = true;
    out_.ends_at = is_endless_ ? 0 : std::max(out_.ends_at, end);
  }

  void take_attribute(std::string_view value) {
    const std::size_t colon = std::min(value.find(':'), value.size());
    const std::string_view name = value.substr(0, colon);
    const std::string_view text = value.substr(std::min(colon + 1, value.size()));
    if (name == "source-filter") {
      if (const std::optional<SourceFilterLine> line = source_filter_of(text)) current_->filters.push_back(*line);
    } else if (name == "rtpmap" && current_ == &medium_) {
      take_rtpmap(text, medium_);
    } else if (name == "x-plgroup" || (name == "cat" && out_.group_title.empty())) {
      out_.group_title = printable(text, SessionDescription::kNameOctetsMax);
    }
  }

  SessionDescription out_;
  Section session_;
  Section medium_;
  Section* current_ = &session_;
  bool is_endless_ = false;
};

/// Calls `visit(letter, value)` for each line while that says true. False: it did not, or a line is none.
template <typename Visit>
bool for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == '\0')) line.remove_suffix(1);
    if (line.empty()) continue;
    constexpr std::size_t kLetterOctets = 2;
    if (line.size() < kLetterOctets || line[1] != '=') return false;
    if (!visit(line.front(), line.substr(kLetterOctets))) return false;
  }
  return true;
}

std::string one_line(std::string_view text) {
  std::string out(text.substr(0, SessionDescription::kNameOctetsMax));
  constexpr unsigned char kFirstPrintable = 0x20;
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < kFirstPrintable || c == 0x7f; }, ' ');
  return out;
}

}  // namespace

Result<SessionDescription, SdpError> SessionDescription::parse(std::string_view text) {
  if (!text.starts_with("v=0")) return Unexpected<SdpError>(SdpError::kMalformed);
  DescriptionReader reader;
  const bool is_good =
      for_each_line(text, [&](char letter, std::string_view value) { return reader.take(letter, value); });
  if (!is_good) return Unexpected<SdpError>(SdpError::kMalformed);
  return reader.finish();
}

std::optional<std::string> SessionDescription::identity_of(std::string_view text) {
  std::optional<std::string> identity;
  static_cast<void>(for_each_line(text, [&](char letter, std::string_view value) {
    if (letter == 'o') identity = DescriptionReader::identity_of_line(value);
    return !identity;
  }));
  return identity && !identity->empty() ? identity : std::nullopt;
}

std::string write_session_description(const SessionText& session) {
  const auto type = [](const IpAddress& address) { return std::string(address.is_v4() ? "IN IP4 " : "IN IP6 "); };
  const IpAddress& group = session.stream.channel.group;
  std::string name = one_line(session.name);
  // RFC 8866 §5.3: the name must not be empty; a single space, or `-`, stands for none.
  if (name.empty()) name = "-";
  std::string out = "v=0\r\no=- " + std::to_string(session.session_id) + " " + std::to_string(session.version) + " " +
                    type(session.host) + session.host.to_string() + "\r\ns=" + name + "\r\nc=" + type(group) +
                    group.to_string() + (group.is_v4() ? "/255" : "") + "\r\nt=0 0\r\na=tool:amt\r\na=recvonly\r\n";
  if (session.stream.channel.source) {
    out += "a=source-filter: incl " + type(group) + group.to_string() + " " +
           session.stream.channel.source->to_string() + "\r\n";
  }
  if (!session.group_title.empty()) out += "a=x-plgroup:" + one_line(session.group_title) + "\r\n";
  out += "m=video " + std::to_string(session.stream.port);
  out += session.stream.is_rtp ? " RTP/AVP 33\r\na=rtpmap:33 MP2T/90000\r\n" : " udp MP2T\r\n";
  return out;
}

}  // namespace amt
