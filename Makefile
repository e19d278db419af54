# Everything one does with this project. `make` or `make help` lists it.

UV_VERSION := 0.13.9
UV := .uv/$(UV_VERSION)/bin/uv
RUN := $(UV) run --no-sync
PROJECTS := pyproject.toml $(wildcard shared/pyproject.toml dev/pyproject.toml tests/pyproject.toml services/*/pyproject.toml)

TICKETS ?= examples/tickets
ROLE ?= engineer

# The machine's own certificates: behind a proxy of a company they are the ones that work.
export UV_SYSTEM_CERTS ?= true
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help setup servers up down logs token demo test test-full check contracts bench faults clean

help: ## Lists these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target text; do \
		printf '  make %-10s %s\n' "$$target" "$$text"; done

setup: .venv/.synced ## Installs uv into .uv/ and the project into .venv/; quick when nothing has changed

# Beforehand, so that no test's time limit pays for it.
servers: setup
	@$(RUN) devstack install

up: setup ## Starts the whole stack (REPLICAS="gateway=2 …"), prints its URL and a token for each role
	@$(RUN) devstack up $(foreach each,$(REPLICAS),--replicas $(each))

down: setup ## Ends the stack, and removes its data and secrets
	@$(RUN) devstack down

logs: setup ## Follows the logs (NAME=gateway for one of them)
	@$(RUN) devstack logs --follow $(NAME)

token: setup ## Prints a token (ACCOUNT=<uuid> ROLE=viewer|engineer|lead|admin|service)
	@$(RUN) devstack token $(if $(ACCOUNT),--account $(ACCOUNT)) --role $(ROLE)

demo: setup ## Starts the stack and plays realistic tickets through it (TICKETS=<folder>)
	@$(RUN) devstack demo $(TICKETS)

test: servers ## Runs the tests
	$(RUN) pytest

test-full: servers ## Runs all tests, the slow ones too
	$(RUN) pytest --full

check: setup ## Lint, format, types, layering, and whether docs/messages.md is up to date
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) python -m shared.contracts.document --check

contracts: setup ## Writes docs/messages.md anew
	$(RUN) python -m shared.contracts.document

bench: servers ## Compares this stack with an in-process monolith
	$(RUN) python -m benchmarks.run

faults: servers ## Kills, pauses and cuts off processes under load, and judges (ONLY=name,name SEED=n)
	$(RUN) faults run $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED))

clean: ## Ends the stack and removes everything that was made here
	@if [ -e .run/state.json ]; then $(MAKE) --no-print-directory down; fi
	rm -rf .run .venv .uv .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis .import_linter_cache

$(UV):
	@dev/install-uv .uv/$(UV_VERSION) $(UV_VERSION)

.venv/.synced: uv.lock $(PROJECTS) | $(UV)
	@echo "installing the project into .venv" >&2
	@$(UV) sync --locked --quiet
	@touch $@
