/// `make storm GATEWAYS=100000`: what the relays that are left see of gateways that lose theirs at the same moment.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "sim/storm.hh"

namespace {

using amt::sim::Storm;
using amt::sim::StormFigures;
using amt::sim::StormScenario;

using Named = std::pair<std::string, StormScenario>;

std::vector<Named> scenarios(const StormScenario& basic) {
  std::vector<Named> all;
  const auto add = [&](const char* name) -> StormScenario& { return all.emplace_back(name, basic).second; };
  add("one of ten equal relays dies, one core each").others = 9;
  add("one of two relays dies, eight cores").cores = 8;
  add("one of two relays dies, one core").watched = std::chrono::seconds(20);
  StormScenario& dns = add("an anycast relay dies, the DNS names nine others");
  dns.others = 9;
  dns.asks_dns = true;
  StormScenario& full = add("nine others, which take half of the gateways and send L to the rest");
  full.others = 9;
  full.tunnels_max = basic.gateways / 18;
  StormScenario& pause = add("the source pauses, no relay dies");
  pause.others = 9;
  pause.source_pauses = true;
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  StormScenario basic;
  basic.gateways = 100'000;
  basic.cores = 1;
  std::string only;
  CLI::App app("Gateways that lose one relay at the same moment");
  app.add_option("--gateways", basic.gateways)->check(CLI::Range(1, 1'000'000));
  app.add_option("--seed", basic.seed);
  app.add_option("--only", only, "the scenarios whose name has this in it");
  CLI11_PARSE(app, argc, argv);
  for (const auto& [name, scenario] : scenarios(basic)) {
    if (name.find(only) == std::string::npos) continue;
    const auto start = std::chrono::steady_clock::now();
    const StormFigures figures = Storm(scenario).run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("%zu gateways: %s (%.0f s)\n%s", scenario.gateways, name.c_str(), took.count(),
                to_string(scenario, figures).c_str());
    static_cast<void>(std::fflush(stdout));
  }
  return 0;
}
