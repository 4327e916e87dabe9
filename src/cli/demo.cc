#include "demo/demo.hh"

#include "cli/subcommands.hh"

namespace amt {

int run_demo(const DemoConfig& config, const CommonConfig&) {
  return run_demo_show({.output_directory = config.output_directory});
}

}  // namespace amt
