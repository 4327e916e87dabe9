/// What a network card's far end costs the sender: nothing. An XDP program of two instructions drops what arrives at an
/// interface before the kernel makes a packet of it; the interface counts. Prints `ready`; ends with its input.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "arguments.hh"
#include "sys/unique_fd.hh"

int main(int count, char** values) {
  amt::Arguments arguments(count, values, 1, "INTERFACE");
  const std::string interface(arguments.text());
  std::array<bpf_insn, 2> drop{};
  drop[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  drop[0].dst_reg = BPF_REG_0;
  drop[0].imm = XDP_DROP;
  drop[1].code = BPF_JMP | BPF_EXIT;
  const amt::UniqueFd program(
      bpf_prog_load(BPF_PROG_TYPE_XDP, "bench_sink", "Dual BSD/GPL", drop.data(), drop.size(), nullptr));
  if (!program) amt::Arguments::fail("load XDP program", std::strerror(errno));
  const auto index = static_cast<int>(::if_nametoindex(interface.c_str()));
  const amt::UniqueFd link(bpf_link_create(program.get(), index, BPF_XDP, nullptr));
  if (!link) amt::Arguments::fail("attach XDP program", std::strerror(errno));
  std::puts("ready");
  std::fflush(stdout);
  char octet = 0;
  while (::read(STDIN_FILENO, &octet, 1) > 0) {
  }
}
