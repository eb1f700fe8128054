# Phoenix: what to type. `make` alone lists the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Everything that can be fetched or built again lies here, outside the project.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/phoenix

# Third-party tools, each in a folder of its version.
NATS_VERSION := v0.5.0
STEP_VERSION := v0.21.0
GOLANGCI_LINT_VERSION := v2.15.0
GOVULNCHECK_VERSION := v1.9.0

NATS := $(CACHE)/tools/nats-$(NATS_VERSION)/nats
STEP := $(CACHE)/tools/step-$(STEP_VERSION)/step
GOLANGCI_LINT := $(CACHE)/tools/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
GOVULNCHECK := $(CACHE)/tools/govulncheck-$(GOVULNCHECK_VERSION)/govulncheck
TOOLS_PATH := $(dir $(NATS)):$(dir $(STEP))

PROGRAMS := phoenix-cli phoenix-provisioner phoenix-ca phoenix-proxyconf phoenix-gateway
# The folders of the modules, for programs that don't know the pattern `work`.
MODULES = $(patsubst $(CURDIR)/%,%,$(shell go list -m -f '{{.Dir}}'))

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w -X github.com/phoenix-platform/phoenix/pkg/version.Version=$(VERSION)

# The race detector needs a C compiler.
RACE := $(if $(shell command -v gcc || command -v clang),-race)
TEST_TIMEOUT ?= 30m
GO_TEST = PATH="$(TOOLS_PATH):$$PATH" go test -vet=off $(RACE) -timeout $(TEST_TIMEOUT)
FUZZ_TIME ?= 20s

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: up
up: deps traefik build ## build what is missing, and bring the stack up on this machine
	@bin/phoenix-cli up --stand-in-backends

.PHONY: down
down: $(if $(wildcard bin/phoenix-cli),,bin/phoenix-cli) ## stop all of it
	@bin/phoenix-cli down

.PHONY: build
build: $(PROGRAMS:%=bin/%) ## build the five programs into bin/

bin/phoenix-cli: SOURCE := ./cmd/phoenix-cli
bin/phoenix-%: SOURCE = ./services/$*

# The go command knows better than make what is up to date.
bin/phoenix-%: check-go FORCE
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $@ $(SOURCE)

.PHONY: FORCE
FORCE:

.PHONY: check-go
check-go:
	@tools/check-go.sh

.PHONY: deps
deps: ## install nginx where it is missing (Debian, as root), without its service
	@tools/install-nginx.sh

.PHONY: traefik
traefik: check-go ## find Traefik, or build it into the cache
	@go run ./tools/traefik -path "$$PHOENIX_TRAEFIK" >/dev/null

.PHONY: test
test: deps traefik tools ## run every test, the end-to-end ones last
	$(if $(RACE),,@echo "no C compiler: the tests run without the race detector" >&2)
	$(GO_TEST) $$(go list work | grep -v '/phoenix/test/')
	$(GO_TEST) ./test/...

.PHONY: fuzz
fuzz: check-go ## run each fuzz test for FUZZ_TIME (20s)
	@tools/fuzz.sh $(FUZZ_TIME)

.PHONY: golden
golden: check-go ## write the golden files anew; look at the difference
	go test -vet=off $$(git grep -lE '"update"|internal/golden"' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's|^|./|') -update

.PHONY: generate
generate: check-go ## write generated files anew
	go generate work

.PHONY: fmt
fmt: check-go ## format the Go sources
	git ls-files -z -co --exclude-standard '*.go' | xargs -0 gofmt -s -w

# each runs a command in the folder of every module, and fails if one of them
# failed. golangci-lint and govulncheck work on one module at a time.
each = status=0; for module in $(MODULES); do \
	echo "$@ $$module"; (cd $$module && $(1)) || status=1; done; exit $$status

.PHONY: lint
lint: check-go $(GOLANGCI_LINT) ## run the linters
	@$(call each,$(GOLANGCI_LINT) run ./...)

.PHONY: vulncheck
vulncheck: check-go $(GOVULNCHECK) ## look for known vulnerabilities in what is used
	@$(call each,$(GOVULNCHECK) ./...)

.PHONY: tools
tools: check-go $(NATS) $(STEP) ## install the command-line clients that tests use

.PHONY: lint-tools
lint-tools: check-go $(GOLANGCI_LINT) $(GOVULNCHECK) ## install the linters

.PHONY: tools-path
tools-path: ## print the folders of those clients, for PATH
	@echo "$(TOOLS_PATH)"

# The last two words are the tool's path and the package that it is made from.
install = GOWORK=off GOFLAGS= CGO_ENABLED=0 GOBIN=$(@D) go install -trimpath

$(NATS):
	$(install) github.com/nats-io/natscli/nats@$(NATS_VERSION)

$(STEP):
	$(install) github.com/smallstep/cli/cmd/step@$(STEP_VERSION)

$(GOLANGCI_LINT):
	$(install) github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(GOVULNCHECK):
	$(install) golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)

.PHONY: clean
clean: ## remove what was built here; the cache stays
	rm -rf bin
