# What people do with this project. Each target sets up what it needs by itself; CMake does the work.
# `make` builds build/release/amt.
.DEFAULT_GOAL := build
.PHONY: build demo test browser attack interop bench format lint asan tsan fuzz conformance sim storm mutation mutation-system coverage clean help install deb test-deb htmldocs pdfdocs
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local

build: ## build the program: build/release/amt
	@tools/setup.sh build
	@tools/fetch_npm.sh
	@mkdir -p build && cmake --preset release >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build --preset release --parallel $(JOBS) --target amt

install: build ## install to PREFIX=/usr/local below DESTDIR= (units and /etc/amt with a PREFIX of /usr or /usr/local)
	@cmake --build --preset release --parallel $(JOBS) --target amt_installed
	@DESTDIR='$(DESTDIR)' cmake --install build/release --prefix '$(PREFIX)' >build/install.log || { cat build/install.log; exit 1; }
	@echo "installed below $(DESTDIR)$(PREFIX); the list: build/release/install_manifest.txt"

deb: ## Debian packages of the last commit, in build/deb (unit tests: DEB_BUILD_OPTIONS=)
	@tools/setup.sh build deb
	@tools/deb.sh

test-deb: ## the packages of `make deb` in fresh systems and a QEMU guest (root; minutes): STEPS="install guest build-13"
	@tools/setup.sh packages
	@tests/packages/run.py $(STEPS) || [ $$? -eq 77 ]

htmldocs: build ## the guides and the reference as a site: build/htmldocs/index.html
	@tools/setup.sh docs
	@tools/htmldocs.py build/release/amt build/htmldocs

pdfdocs: build ## the same as one book: build/amtkit.pdf
	@tools/setup.sh docs pdf
	@tools/pdfdocs.py build/release/amt build/amtkit.pdf

demo: build ## show it working: a video through a tunnel, without privileges
	@tools/setup.sh demo
	@build/release/amt demo

test: ## build and run all tests (10 minutes on 2 cores when nothing is compiled yet)
	@tools/setup.sh build test
	@$(MAKE) --no-print-directory build
	@cmake --build --preset release --parallel $(JOBS)
	@tools/test.sh release

browser: ## the pages in headless Chromium (installs Debian's chromium and npm); SCREENSHOTS=docs writes pictures there
	@tools/setup.sh test browser
	@$(MAKE) --no-print-directory build
	@python3 -B tests/system/run.py page.py $(abspath $(SCREENSHOTS))
	@python3 -B tests/system/run.py serve_page.py $(abspath $(SCREENSHOTS))

interop: build ## with the Linux kernel's AMT driver, both roles, in a QEMU guest (console: build/interop/console.log)
	@tests/interop/run.py $(SCENARIOS) || [ $$? -eq 77 ]

bench: build ## measure, with ratios to baselines of the same run: ONLY='fan-out channels' (groups) SECONDS_MAX=900
	@tools/setup.sh test bench
	@cmake --preset release -DAMT_BENCH=ON >/dev/null && cmake --build --preset release --parallel $(JOBS) --target bench

format: ## format the C++ sources in place
	@tools/setup.sh lint
	@tools/format.sh

lint: ## formatting, shell and Python checks, banned names
	@tools/setup.sh lint
	@tools/lint.sh

asan: ## unit tests, simulation and fuzz corpora under address and undefined-behaviour sanitizers (clang)
	@tools/setup.sh build test clang
	@cmake --preset asan >/dev/null && cmake --build --preset asan --parallel $(JOBS) --target unit_tests
	@tools/test.sh asan unit sim

tsan: ## the relay's workers under the thread sanitizer
	@tools/setup.sh build test
	@cmake --preset tsan >/dev/null && cmake --build --preset tsan --parallel $(JOBS) --target sys_test engine_runtime_test engine_relay_test observe_test
	@tools/tsan.sh

fuzz: ## run the fuzz targets for FUZZ_SECONDS=10 or RUNS=n each; TARGETS="wire relay": these
	@tools/setup.sh build clang
	@JOBS=$(JOBS) FUZZ_SECONDS=$(or $(FUZZ_SECONDS),10) FUZZ_RUNS=$(RUNS) tools/fuzz.sh $(TARGETS)

conformance: ## write docs/conformance.md: which test proves which requirement
	@tools/conformance.py

sim: ## simulate relays and gateways with faults: SEEDS=100 GATEWAYS=100 SEED=1 (the first) EPOCHS=1
	@tools/setup.sh build test
	@mkdir -p build && cmake --preset release >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build --preset release --parallel $(JOBS) --target amt_sim
	@build/release/tests/sim/amt_sim --seeds $(or $(SEEDS),100) --gateways $(or $(GATEWAYS),100) --seed $(or $(SEED),1) \
	  --epochs $(or $(EPOCHS),1) $(SIM_FLAGS)

storm: ## gateways lose their relay at the same moment, what do the others see: GATEWAYS=100000 (minutes, 3 GB)
	@tools/setup.sh build test
	@mkdir -p build && cmake --preset release >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build --preset release --parallel $(JOBS) --target amt_storm
	@build/release/tests/sim/amt_storm --gateways $(or $(GATEWAYS),100000) $(STORM_FLAGS)

mutation: ## break requirements one at a time, show that the tests notice: minutes; MUTANTS='R-6.2-a ...'
	@tools/setup.sh build test
	@tools/mutation.py $(MUTANTS)

mutation-system: ## break what the program does in real networks, show that system tests notice: an hour; TESTS='rtp ...'
	@tools/setup.sh build test
	@tools/mutation.py --system $(TESTS)

coverage: ## line coverage of every room by its unit tests; fails below 95 % of a pure room, 70 % of another: ROOM=cli lists what did not run
	@tools/setup.sh build test
	@JOBS=$(JOBS) tools/coverage.sh $(ROOM)

clean: ## remove everything built
	@rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
