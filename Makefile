# SPDX-License-Identifier: GPL-2.0-only
#
# The front door; CMake and Ninja do the building. `make help` lists the targets.

BUILD   ?= build
KERNEL  ?= 6.12
JOBS    ?= $(shell nproc)
PREFIX  ?= /usr/local
bindir  ?= $(PREFIX)/bin
mandir  ?= $(PREFIX)/share/man
docdir  ?= $(PREFIX)/share/doc/ipcscope
includedir ?= $(PREFIX)/include
unitdir ?= $(PREFIX)/lib/systemd/system
zshdir  ?= $(PREFIX)/share/zsh/site-functions
completions = $(PREFIX)/share/bash-completion/completions/ipcscope $(zshdir)/_ipcscope \
	$(PREFIX)/share/fish/vendor_completions.d/ipcscope.fish

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.ONESHELL:
.PHONY: help build demo check check-unit check-vm check-matrix check-kernels check-views check-debug debug-kernel \
        kernels kmod deps lint fmt bench bench-kernels overhead bench-overhead install install-dkms \
        install-vm deb uninstall vm-shell clean configure build-all

STARTED := $(shell date +%s)
took = echo "$@: $$(( $$(date +%s) - $(STARTED) )) s"
# What CMake says is of interest only where it failed.
cmake = mkdir -p $(BUILD); cmake -B $(BUILD) $(1) >$(BUILD)/configure.log 2>&1 || { cat $(BUILD)/configure.log >&2; \
    echo 'build: CMake failed (above); what it did not find, make deps installs' >&2; exit 1; }
# One line that changes on a terminal, nothing but errors elsewhere.
ninja = ninja -C $(BUILD) -j $(JOBS) $$([ -t 1 ] || echo --quiet)
ctest = tests/limits/ctest $(BUILD) -j $(JOBS)
install_deps = packaging/install-deps
headers = kmod/include/uapi/ipcscope

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 22
	@echo
	@echo '  KERNEL=5.10|6.1|6.12|7.3 (demo, kmod, check-vm, vm-shell, bench-overhead)   BUILD=DIR   JOBS=N'
	@echo '  STORY=NAME (demo: one workload with a known truth; STORY=list names them)'
	@echo '  ARGS="--quick pipe" (bench, bench-kernels)   DESTDIR=, PREFIX=/usr/local (install, uninstall)'
	@echo '  A=6.1 B=DIR (bench-kernels: keys as of KERNEL, or built trees)   FAIL_ABOVE=25 (per cent, its limit)'
	@echo '  KDIR=DIR (kmod: a built tree, or headers as /lib/modules/$$(uname -r)/build)'
	@echo '  A kernel of your own, in QEMU: vm/run --kernel DIR -- COMMAND; docs/i-changed-the-kernel.md'

build: configure ## build build/ipcscope; needs what `make deps` installs
	@echo 'build: $(BUILD)/ipcscope'
	@$(ninja) ipcscope

# Tests are configured where their libraries are; check insists on them.
configure:
	@for tool in cmake ninja g++ clang; do
	    command -v $$tool >/dev/null || { echo "build: $$tool not found: run make deps" >&2; exit 1; }
	done
	@if [ ! -e $(BUILD)/build.ninja ]; then
	    tests=OFF
	    [ ! -e /usr/include/gtest/gtest.h ] || [ ! -e /usr/include/rapidcheck.h ] || tests=ON
	    $(call cmake,--preset dev -DIPCSCOPE_TESTS=$$tests)
	fi

build-all: configure
	@grep -qx 'IPCSCOPE_TESTS:BOOL=ON' $(BUILD)/CMakeCache.txt ||
	    $(call cmake,-DIPCSCOPE_TESTS=ON)
	@echo 'build: $(BUILD)/ipcscope and the tests'
	@$(ninja)

deps: ## install Debian's packages for all of this (root or sudo)
	@$(install_deps) packaging/deps-build packaging/deps-demo packaging/deps-test packaging/deps-lint \
	    vm/packages
	@[ -x /usr/lib/qemu/virtiofsd ] || $(install_deps) packaging/deps-virtiofs

kernels: ## fetch the VM's kernels into the cache
	@for kernel in $$(awk '!/^#/ && NF && $$1 !~ /$(if $(FLAVOURS),^$$,-)/ { print $$1 }' vm/kernels); do
	    vm/run --kernel $$kernel --fetch-only
	done

demo: ## install, build, and trace real workloads on Debian's kernel in a VM
ifdef STORY
	@[ '$(STORY)' != list ] || exec tests/demo/story $(BUILD) list
	@compgen -G 'tests/stories/*/$(STORY).*' >/dev/null ||
	    { echo "demo: no story '$(STORY)': make demo STORY=list" >&2; exit 2; }
	$(MAKE) deps
	$(MAKE) configure
	grep -qx 'IPCSCOPE_TESTS:BOOL=ON' $(BUILD)/CMakeCache.txt || $(call cmake,-DIPCSCOPE_TESTS=ON)
	$(ninja) ipcscope stories
	tests/demo/story --kernel $(KERNEL) $(BUILD) '$(STORY)'
else
	@$(install_deps) packaging/deps-build packaging/deps-demo vm/packages
	@$(MAKE) build
	@tests/demo/run --kernel $(KERNEL) $(BUILD)
endif
	@$(took)

kmod: ## build the kernel module: for KERNEL, or for the tree or headers at KDIR
	@out=$(BUILD)/kmod/$(if $(KDIR),own,$(KERNEL))
	JOBS=$(JOBS) kmod/build --out $$out $(if $(KDIR),"$(KDIR)",$(KERNEL))
	echo "kmod: $$out/ipcscope.ko"

check: ## install, lint, build, test: units, then the kernels in the VM
	@$(MAKE) deps
	@packaging/lint
	@$(MAKE) build-all
	@$(MAKE) kernels
	@echo "check: ready to test after $$(( $$(date +%s) - $(STARTED) )) s"
	@$(ctest) -LE 'matrix|kernels|views'

check-unit: build-all ## the tests that need no VM
	@$(ctest) -LE 'vm|views|matrix|kernels' && status=0 || status=$$?; $(took); exit $$status

check-vm: build-all ## the tests in the VM on one kernel
	@vm/run --kernel $(KERNEL) --fetch-only
	@$(ctest) -L vm -R '[.]$(subst .,[.],$(KERNEL))$$' && status=0 || status=$$?; $(took); exit $$status

check-matrix: ## both backends on kernels from 5.10 to 7.3, PREEMPT_RT, 1 to 4 CPUs, ...; a table
	@$(MAKE) deps
	@$(MAKE) build-all
	@$(MAKE) kernels FLAVOURS=1
	@$(ctest) --test-output-size-passed 65536 -L matrix && status=0 || status=$$?
	tests/matrix/table $(BUILD) || status=1
	$(took); exit $$status

check-kernels: ## the suites that check leaves out: all of them on all kernels; two hours
	@$(MAKE) deps
	@$(MAKE) build-all
	@$(MAKE) kernels
	@$(ctest) -L kernels && status=0 || status=$$?; $(took); exit $$status

check-views: ## each export, opened by sqlite3, protoc, Chromium, Prometheus, shells
	@$(MAKE) deps
	@$(install_deps) packaging/deps-views
	@$(MAKE) build-all
	@$(ctest) -L views

bench: build ## measure this machine's IPC; table, JSON and CSV in build/bench/
	@tests/bench/save $(BUILD)/ipcscope $(BUILD)/bench $(ARGS)

bench-kernels: build ## compare the IPC of two kernels in the VM: A=6.1 B=7.3
	@[ -n '$(A)' ] && [ -n '$(B)' ] || { echo 'bench-kernels: which? make bench-kernels A=6.1 B=7.3' >&2; exit 2; }
	@tests/bench/kernels $(BUILD)/ipcscope $(BUILD)/bench '$(A)' '$(B)' $(ARGS)

overhead: build ## what bench's own loop costs, beside plain C, perf bench and stress-ng; two runs
	@$(install_deps) packaging/deps-overhead packaging/deps-demo
	@tests/overhead/fidelity $(BUILD); status=$$?; tests/overhead/repeat $(BUILD) && exit $$status

bench-overhead: build ## what tracing costs, beside bpftrace, perf, strace, ...; docs/overhead.md
	@$(install_deps) packaging/deps-overhead packaging/deps-demo vm/packages
	@tests/overhead/peers --kernel $(KERNEL) --docs $(BUILD); $(took)

debug-kernel: ## build the kernel with KASAN, lockdep, kmemleak, ... (takes long, cached)
	@JOBS=$(JOBS) vm/debug-kernel

check-debug: build-all debug-kernel ## the module's tests on that kernel
	@tests/kmod/run --build $(BUILD) --cycles 500 debug && status=0 || status=$$?; $(took); exit $$status

lint: ## common mistakes in scripts, C++ and the manual page
	@$(install_deps) packaging/deps-build packaging/deps-lint
	@packaging/lint

fmt: ## lay out the C++ lines that you changed by .clang-format
	@$(install_deps) packaging/deps-lint
	@packaging/lint --fix

install: ## install to $(DESTDIR)$(PREFIX); build first
	@[ -x $(BUILD)/ipcscope ] || { echo 'install: no $(BUILD)/ipcscope: run make build' >&2; exit 1; }
	@install -d $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(docdir) $(DESTDIR)$(includedir)/ipcscope
	@install -m 755 $(BUILD)/ipcscope $(DESTDIR)$(bindir)/
	@install -m 644 docs/ipcscope.1 $(DESTDIR)$(mandir)/man1/
	@packaging/man-pages $(BUILD)/ipcscope $(DESTDIR)$(mandir)/man1
	@install -m 644 $(headers)/*.h $(DESTDIR)$(includedir)/ipcscope/
	@for file in $(completions); do
	    install -d $$(dirname $(DESTDIR)$$file)
	    shell=$$(sed 's,.*/share/,,; s,[-/].*,,' <<<"$$file")
	    $(BUILD)/ipcscope completions $$shell >$(DESTDIR)$$file
	done
	@install -d $(DESTDIR)$(unitdir)
	@sed 's,=/usr/bin/,=$(bindir)/,' packaging/ipcscope-stat.service >$(DESTDIR)$(unitdir)/ipcscope-stat.service
	@install -m 644 LICENSE $(wildcard README.md SECURITY.md docs/*.md docs/*.json docs/*.yml) $(DESTDIR)$(docdir)/
	@echo 'installed: $(DESTDIR)$(bindir)/ipcscope'

# What the module is built of, without its tests, to a directory.
module_sources = destination=$$(realpath $(1)); (cd kmod && find . -type f \( -name '*.[ch]' -o -name Kbuild -o -name Makefile \
	    -o -name VERSION -o -path '*/run' \) ! -path './lab/*' ! -name configure.h \
	    ! -name '*.mod.c' -exec cp --parents -p -t $$destination {} +)

install-dkms: ## install the module's sources for DKMS under $(DESTDIR)/usr/src
	@version=$$(cat kmod/VERSION)
	to=$(DESTDIR)/usr/src/ipcscope-$$version
	install -d $$to
	$(call module_sources,$$to)
	sed "s/@VERSION@/$$version/" kmod/dkms.conf.in >$$to/dkms.conf
	echo "installed: $$to; now: dkms install ipcscope/$$version"

install-vm: ## install the command ipcscope-vm, which runs a command on another kernel
	@to=$(DESTDIR)$(PREFIX)/share/ipcscope
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man1 $$to/vm $$to/kmod
	install -m 755 packaging/ipcscope-vm $(DESTDIR)$(bindir)/
	install -m 644 docs/ipcscope-vm.1 $(DESTDIR)$(mandir)/man1/
	cp -p $$(find vm -maxdepth 1 -type f) $$to/vm/
	$(call module_sources,$$to/kmod)
	cp -p kmod/build $$to/kmod/
	echo "installed: $(DESTDIR)$(bindir)/ipcscope-vm"

deb: ## build Debian packages in build/deb: ipcscope, ipcscope-dkms, ipcscope-vm
	@$(install_deps) packaging/deps-build packaging/deps-deb
	@JOBS=$(JOBS) packaging/deb $(BUILD)/deb
	@$(took)

uninstall: ## remove what install, install-dkms and install-vm put there
	@rm -f $(DESTDIR)$(bindir)/ipcscope{,-vm} $(DESTDIR)$(mandir)/man1/ipcscope{,-*}.1 $(addprefix $(DESTDIR),$(completions)) \
	    $(DESTDIR)$(unitdir)/ipcscope-stat.service
	@rm -rf $(DESTDIR)$(docdir) $(DESTDIR)$(includedir)/ipcscope $(DESTDIR)$(PREFIX)/share/ipcscope \
	    $(DESTDIR)/usr/src/ipcscope-$$(cat kmod/VERSION)

vm-shell: ## a root shell on Debian's kernel in the VM
	@vm/shell --kernel $(KERNEL)

clean: ## remove the build directory (kernels stay in the cache)
	@[ ! -e $(BUILD)/CMakeCache.txt ] || rm -rf $(BUILD)
