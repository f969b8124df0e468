# bkdeploy. `make help` lists the targets.

CC = gcc
PREFIX = /usr/local
BUILD = build
CFLAGS = -O2 -g
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
           -Wwrite-strings -Wformat=2 -Wundef -fno-common -Werror
PACKAGES = lua5.4 lua5.4-cjson jansson yaml-0.1 zlib
# On a machine without the packages this is empty; `make deps` comes first there.
PKG_CFLAGS = $(shell pkg-config --cflags $(PACKAGES) libcurl 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(WARNINGS) -Isrc $(PKG_CFLAGS) $(CFLAGS)
LDLIBS = $(PKG_LIBS) -ldl -lm

ifdef SANITIZE
BUILD = build/sanitize
CFLAGS = -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all
endif

SOURCES := $(shell find src -name '*.c' ! -path src/script/embed.c | LC_ALL=C sort)
LUA_SOURCES := $(shell find lua -name '*.lua' ! -name '*.meta.lua' | LC_ALL=C sort)
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/embedded.o

all: $(BUILD)/bkdeploy

$(BUILD)/bkdeploy: $(OBJECTS)
	@echo LINK $@
	@$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/%.o: %.c
	@echo CC $<
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/src/command/command.o: ALL_CFLAGS += -DBKDEPLOY_VERSION='"$(VERSION)"'

# A program of the build: rewrites modules of lua/ for embed.lua.
EMBED_OBJECTS = $(patsubst %.c,$(BUILD)/%.o,src/script/embed.c src/script/trace.c src/script/parser.c src/script/lexer.c \
                src/base/buf.c src/base/mem.c)

$(BUILD)/embed: $(EMBED_OBJECTS)
	@echo LINK $@
	@$(CC) $(CFLAGS) -o $@ $^

$(BUILD)/embedded.c: src/script/embed.lua $(BUILD)/embed $(LUA_SOURCES)
	@echo EMBED lua/
	@mkdir -p $(@D)
	@lua5.4 src/script/embed.lua $(BUILD)/embed $(LUA_SOURCES) > $@.new && mv $@.new $@

$(BUILD)/embedded.o: $(BUILD)/embedded.c
	@$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The C modules for the unit specs; position-independent objects of their own, no Lua core. Of
# src/script/ those that know no Lua state.
NATIVE_SOURCES = $(filter-out src/main.c src/command/% src/script/%,$(SOURCES)) \
                 src/script/lexer.c src/script/parser.c src/script/trace.c tests/unit/native.c
NATIVE_OBJECTS = $(NATIVE_SOURCES:%.c=$(BUILD)/pic/%.o)

$(BUILD)/native.so: $(NATIVE_OBJECTS)
	@echo LINK $@
	@$(CC) $(CFLAGS) -shared -o $@ $^ $(filter-out -llua%,$(LDLIBS))

$(BUILD)/pic/%.o: %.c
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -fPIC -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d) $(EMBED_OBJECTS:.o=.d) $(NATIVE_OBJECTS:.o=.d) $(wildcard $(BUILD)/tests/*.d)

test: ## run every test; ends with one line "N passed, N failed"
	@tests/deps test
	@tests/run

test-long: deps all ## 2,000 edits by others, each held against what diff sees (about 20 minutes)
	@tests/long

deps: ## install what is missing (Debian), or print what is needed
	@tests/deps

lint: ## clang-format, luacheck, clang-tidy, and the direction of includes
	@tests/deps lint
	@clang-format --dry-run -Werror $$(git ls-files 'src/*.[ch]' 'tests/*.c')
	@luacheck -q lua profiles tests docs
	@clang-tidy --quiet $$(git ls-files 'src/*.c') -- -std=c11 -D_GNU_SOURCE -Isrc $(PKG_CFLAGS) 2>/dev/null
	@tests/includes

cluster-up cluster-down cluster-status: ## the local control plane (CLUSTER=name for another one)
	@tests/cluster/cluster $(@:cluster-%=%)

demo: deps ## BK LOG on a local control plane, from nothing
	@$(MAKE) --no-print-directory all cluster-up
	build/bkdeploy apply profiles/bklog -e dev --yes --kubeconfig build/cluster/kubeconfig
	build/bkdeploy status profiles/bklog -e dev --kubeconfig build/cluster/kubeconfig

bench: deps all $(BUILD)/measure $(BUILD)/bound $(BUILD)/watch ## time and memory, beside kubectl, helm and the API server's own speed
	@tests/cluster/cluster build && tests/charts/charts build && tests/proxy/proxy build
	@CLUSTER=bench python3 tests/bench/bench.py $(if $(RUNS),--runs $(RUNS)) $(JOBS)

# Small programs of their own, which only the benchmark uses.
$(BUILD)/measure $(BUILD)/bound $(BUILD)/watch: $(BUILD)/%: tests/bench/%.c
	@$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O2 -o $@ $< -lcurl

# Parts of the program by themselves, for the end-to-end specs.
$(BUILD)/records $(BUILD)/pruner $(BUILD)/lock-holder: $(BUILD)/%: $(BUILD)/tests/%.o $(filter-out $(BUILD)/src/main.o,$(OBJECTS))
	@echo LINK $@
	@$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

install: $(BUILD)/bkdeploy ## install the program and the annotations for editors below $(DESTDIR)$(PREFIX)
	install -D -s $(BUILD)/bkdeploy $(DESTDIR)$(PREFIX)/bin/bkdeploy
	install -D -m 644 lua/bk.meta.lua $(DESTDIR)$(PREFIX)/share/bkdeploy/lua/bk.meta.lua

docs: ## write docs/profile.md from the annotations in lua/bk.meta.lua
	@lua5.4 docs/reference.lua > docs/profile.md.new && mv docs/profile.md.new docs/profile.md

# On a control plane of its own, so that it is the first apply.
recording: deps all ## record an apply of BK LOG as docs/apply.svg, which README.md shows
	@CLUSTER=recording tests/cluster/cluster down && CLUSTER=recording tests/cluster/cluster up >/dev/null
	@python3 docs/record.py docs/apply.svg 'bkdeploy apply profiles/bklog -e dev --yes' \
	    build/bkdeploy apply profiles/bklog -e dev --yes --kubeconfig build/cluster/recording/kubeconfig; \
	    code=$$?; CLUSTER=recording tests/cluster/cluster down; exit $$code

# Of the release that the local control plane is.
schema: ## write src/object/schema_data.c from the API description of Kubernetes
	@folder=$$(cd tests/cluster && go mod download k8s.io/kubernetes && \
	    go list -m -f '{{.Dir}}' k8s.io/kubernetes) && \
	lua5.4 src/object/schema_reduce.lua "$$folder" > src/object/schema_data.c.new && \
	mv src/object/schema_data.c.new src/object/schema_data.c

help: ## this list
	@sed -n 's/^\([a-z -]*\):.*## /\1: /p' Makefile

clean: ## remove what was built, but the control plane's programs
	@rm -rf build/src build/tests build/pic build/native.so build/tmp build/pages build/sanitize build/bkdeploy build/embed \
	    build/embedded.* build/measure build/bound build/watch build/records build/pruner build/lock-holder

.PHONY: all test test-long deps lint cluster-up cluster-down cluster-status demo bench install docs recording schema help clean
