#pragma once
/// Words for classic BPF programs.

#include <linux/filter.h>
#include <linux/if_packet.h>

#include <cstdint>

namespace amt::bpf {

inline constexpr std::uint16_t kLoadWord = BPF_LD | BPF_W | BPF_ABS;
inline constexpr std::uint16_t kLoadOctet = BPF_LD | BPF_B | BPF_ABS;
inline constexpr std::uint16_t kAnd = BPF_ALU | BPF_AND | BPF_K;
inline constexpr std::uint16_t kJumpIfEqual = BPF_JMP | BPF_JEQ | BPF_K;
inline constexpr std::uint16_t kJumpIfAtLeast = BPF_JMP | BPF_JGE | BPF_K;
inline constexpr std::uint16_t kReturn = BPF_RET | BPF_K;

inline constexpr std::uint32_t kPacketType = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE);
inline constexpr std::uint32_t kVlanTag = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_VLAN_TAG);
inline constexpr std::uint32_t kProtocol = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PROTOCOL);
inline constexpr std::uint32_t kEverything = 0x40000;

/// The instruction at `at` goes to instruction `yes` or `no`; the kernel counts from the one that follows.
constexpr sock_filter jump(std::uint8_t at, std::uint16_t operation, std::uint32_t value, std::uint8_t yes,
                           std::uint8_t no) {
  return {operation, static_cast<std::uint8_t>(yes - at - 1), static_cast<std::uint8_t>(no - at - 1), value};
}
constexpr sock_filter step(std::uint16_t operation, std::uint32_t value) { return {operation, 0, 0, value}; }

}  // namespace amt::bpf
