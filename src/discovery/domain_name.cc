#include "discovery/domain_name.hh"

#include <algorithm>

namespace amt {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The octet that an escape stands for; `rest` begins after the backslash; the octets that were read are taken off.
std::optional<char> unescape(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  if (!is_digit(rest[0])) {
    const char octet = rest[0];
    rest.remove_prefix(1);
    return octet;
  }
  if (rest.size() < 3 || !is_digit(rest[1]) || !is_digit(rest[2])) return std::nullopt;
  const int value = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
  rest.remove_prefix(3);
  if (value > 255) return std::nullopt;
  return static_cast<char>(value);
}

void append_label(std::string& wire, std::string_view label) {
  wire += static_cast<char>(label.size());
  wire += label;
}

void append_text(std::string& text, unsigned char octet) {
  if (octet == '.' || octet == '\\' || octet == '"' || octet == ';' || octet == '(' || octet == ')' || octet == '@' ||
      octet == '$') {
    text += '\\';
    text += static_cast<char>(octet);
  } else if (octet > ' ' && octet < 0x7f) {
    text += static_cast<char>(octet);
  } else {
    text += '\\';
    text += static_cast<char>('0' + octet / 100);
    text += static_cast<char>('0' + octet / 10 % 10);
    text += static_cast<char>('0' + octet % 10);
  }
}

}  // namespace

DomainName::DomainName(std::string wire) : wire_(std::move(wire)), folded_(wire_) {
  // A length octet is at most 63, below every letter.
  std::ranges::transform(folded_, folded_.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
}

std::optional<DomainName> DomainName::from_wire(Bytes octets) {
  if (octets.empty() || octets.size() > kWireOctetsMax) return std::nullopt;
  ByteReader in(octets);
  while (in.has(1)) {
    const std::size_t length = in.u8();
    // 0xc0 and above would be a compression pointer.
    if (length > kLabelOctetsMax || !in.has(length)) return std::nullopt;
    if (length == 0) {
      if (in.remaining() != 0) return std::nullopt;
      std::string wire;
      for (const std::byte octet : octets) wire += static_cast<char>(octet);
      return DomainName(std::move(wire));
    }
    in.skip(length);
  }
  return std::nullopt;
}

std::optional<DomainName> DomainName::parse(std::string_view text) {
  if (text == ".") return DomainName();
  std::string wire;
  std::string label;
  while (!text.empty()) {
    char c = text[0];
    text.remove_prefix(1);
    if (c == '.') {
      if (label.empty()) return std::nullopt;
      append_label(wire, label);
      label.clear();
      continue;
    }
    if (c == '\\') {
      const std::optional<char> octet = unescape(text);
      if (!octet) return std::nullopt;
      c = *octet;
    }
    label += c;
    if (label.size() > kLabelOctetsMax) return std::nullopt;
  }
  if (!label.empty()) append_label(wire, label);
  if (wire.empty()) return std::nullopt;
  wire += '\0';
  if (wire.size() > kWireOctetsMax) return std::nullopt;
  return DomainName(std::move(wire));
}

std::optional<DomainName> DomainName::join(const DomainName& prefix, const DomainName& domain) {
  std::string wire = prefix.wire_.substr(0, prefix.wire_.size() - 1) + domain.wire_;
  if (wire.size() > kWireOctetsMax) return std::nullopt;
  return DomainName(std::move(wire));
}

DomainName DomainName::reverse_of(const IpAddress& address) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const Bytes octets = address.bytes();
  std::string wire;
  for (auto octet = octets.rbegin(); octet != octets.rend(); ++octet) {
    const auto value = std::to_integer<unsigned>(*octet);
    if (address.is_v4()) {
      append_label(wire, std::to_string(value));
    } else {
      append_label(wire, kHex.substr(value & 0xf, 1));
      append_label(wire, kHex.substr(value >> 4, 1));
    }
  }
  append_label(wire, address.is_v4() ? "in-addr" : "ip6");
  append_label(wire, "arpa");
  wire += '\0';
  return DomainName(std::move(wire));
}

Bytes DomainName::wire() const { return std::as_bytes(std::span(wire_)); }

std::string DomainName::to_string() const {
  if (wire_.size() == 1) return ".";
  std::string text;
  for (std::size_t at = 0; wire_[at] != '\0';) {
    const auto length = static_cast<std::size_t>(wire_[at]);
    for (std::size_t i = 1; i <= length; ++i) append_text(text, static_cast<unsigned char>(wire_[at + i]));
    text += '.';
    at += 1 + length;
  }
  return text;
}

}  // namespace amt
