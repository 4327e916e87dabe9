/// `make sim SEEDS=n GATEWAYS=m SEED=first`: many histories, each with faults that its seed chooses, on all cores. The
/// first violation ends the run; its seed replays it, step by step.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "sim/history.hh"

namespace {

using amt::sim::Outcome;
using amt::sim::Tally;

struct Settings {
  std::uint64_t seeds = 1;
  std::uint64_t first = 1;
  std::size_t gateways = 100;
  unsigned epochs = 1;
  unsigned jobs = 0;
  bool trace = false;
  bool check_every_step = false;
};

/// What one process tells the one that started it, in memory that they share.
struct Worker {
  std::atomic<std::uint64_t> seed;
  std::atomic<std::uint64_t> done;
  Tally tally;
  bool failed;
  char failure[1024];
};
struct Shared {
  std::atomic<std::uint64_t> next;
  std::atomic<bool> stop;
  static constexpr unsigned kWorkersMax = 64;
  Worker workers[kWorkersMax];
};

Outcome run_seed(const Settings& settings, std::uint64_t seed) {
  amt::sim::Scenario scenario = amt::sim::scenario_of(seed, settings.gateways);
  scenario.trace = settings.trace;
  scenario.check_every_step = settings.check_every_step;
  return run_history(scenario, seed, settings.epochs);
}

void work(const Settings& settings, Shared& shared, Worker& worker) {
  while (!shared.stop) {
    const std::uint64_t seed = shared.next++;
    if (seed >= settings.first + settings.seeds) return;
    worker.seed = seed;
    const Outcome outcome = run_seed(settings, seed);
    add(worker.tally, outcome.tally);
    if (!outcome.failure.empty()) {
      std::snprintf(worker.failure, sizeof worker.failure, "%s", outcome.failure.c_str());
      worker.failed = true;
      shared.stop = true;
      return;
    }
    ++worker.done;
  }
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::uint64_t done_by(const Shared& shared) {
  std::uint64_t done = 0;
  for (const Worker& worker : shared.workers) done += worker.done;
  return done;
}

void print_summary(const Settings& settings, const Tally& tally, std::uint64_t done, double seconds) {
  std::printf("%llu of %llu seeds, %zu gateways each, %.1f s\n", static_cast<unsigned long long>(done),
              static_cast<unsigned long long>(settings.seeds), settings.gateways, seconds);
  std::printf("  %-24s%.1f\n", "simulated_hours", static_cast<double>(tally[amt::sim::Event::kSeconds]) / 3600);
  tally.for_each([](std::string_view name, std::uint64_t value) {
    std::printf("  %-24s%llu\n", std::string(name).c_str(), static_cast<unsigned long long>(value));
  });
}

void print_failure(const Settings& settings, std::uint64_t seed, const char* what) {
  std::printf("VIOLATED: %s\n  scenario: %s\n", what,
              amt::sim::scenario_of(seed, settings.gateways).to_string().c_str());
  std::printf("  replay:   make sim SEEDS=1 SEED=%llu GATEWAYS=%zu EPOCHS=%u SIM_FLAGS=--trace\n",
              static_cast<unsigned long long>(seed), settings.gateways, settings.epochs);
}

/// Whether the process `pid` is gone; if so, how.
bool has_ended(pid_t pid, int& status) { return waitpid(pid, &status, WNOHANG) == pid; }

int run_parallel(const Settings& settings) {
  void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    return 1;
  }
  auto& shared = *new (memory) Shared{};
  shared.next = settings.first;
  const auto start = std::chrono::steady_clock::now();
  std::vector<pid_t> pids(settings.jobs);
  for (unsigned i = 0; i < settings.jobs; ++i) {
    std::fflush(stdout);
    pids[i] = fork();
    if (pids[i] == 0) {
      work(settings, shared, shared.workers[i]);
      std::fflush(stdout);
      _exit(0);
    }
    if (pids[i] < 0) {
      std::perror("fork");
      return 1;
    }
  }
  int exit_status = 0;
  Tally sum;
  constexpr double kProgressSeconds = 10;
  double next_progress = kProgressSeconds;
  for (unsigned left = settings.jobs; left > 0;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    for (unsigned i = 0; i < settings.jobs; ++i) {
      int status = 0;
      if (pids[i] == 0 || !has_ended(pids[i], status)) continue;
      pids[i] = 0;
      --left;
      const Worker& worker = shared.workers[i];
      add(sum, worker.tally);
      const bool died = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
      if (died) shared.stop = true;
      if (died || worker.failed) {
        print_failure(settings, worker.seed, worker.failed ? worker.failure : "the process died: an assertion?");
        exit_status = 1;
      }
    }
    if (seconds_since(start) < next_progress) continue;
    next_progress += kProgressSeconds;
    std::printf("%llu of %llu seeds, %.0f s\n", static_cast<unsigned long long>(done_by(shared)),
                static_cast<unsigned long long>(settings.seeds), seconds_since(start));
    std::fflush(stdout);
  }
  print_summary(settings, sum, done_by(shared), seconds_since(start));
  std::printf(exit_status == 0 ? "nothing violated\n" : "FAILED\n");
  return exit_status;
}

/// In this process: for a debugger, and to see every step of one history.
int run_alone(const Settings& settings) {
  const auto start = std::chrono::steady_clock::now();
  Tally sum;
  for (std::uint64_t seed = settings.first; seed < settings.first + settings.seeds; ++seed) {
    const Outcome outcome = run_seed(settings, seed);
    add(sum, outcome.tally);
    if (outcome.failure.empty()) continue;
    print_failure(settings, seed, outcome.failure.c_str());
    return 1;
  }
  print_summary(settings, sum, settings.seeds, seconds_since(start));
  std::printf("nothing violated\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app{"Relays and gateways in virtual time; every seed is another history, with faults that it chooses"};
  app.add_option("--seeds", settings.seeds, "how many histories")->check(CLI::PositiveNumber);
  app.add_option("--seed", settings.first, "the first seed");
  app.add_option("--gateways", settings.gateways, "in each world")->check(CLI::Range(1, 20'000));
  app.add_option("--epochs", settings.epochs, "storms, each with its calm")->check(CLI::PositiveNumber);
  app.add_option("--jobs", settings.jobs, "processes; 0: one a core")->check(CLI::Range(0U, Shared::kWorkersMax));
  app.add_flag("--trace", settings.trace, "print every control message and fault");
  app.add_flag("--check-every-step", settings.check_every_step, "compare whole states after every step (one seed: on)");
  CLI11_PARSE(app, argc, argv);
  if (settings.seeds == 1) settings.check_every_step = true;
  if (settings.seeds == 1 || settings.jobs == 1) return run_alone(settings);
  if (settings.jobs == 0) settings.jobs = std::clamp(std::thread::hardware_concurrency(), 1U, Shared::kWorkersMax);
  return run_parallel(settings);
}
