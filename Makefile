# Everything one does with this project. `make` or `make help` lists it.

UV_VERSION := 0.13.9
UV := .uv/$(UV_VERSION)/bin/uv
RUN := $(UV) run --no-sync
PROJECTS := pyproject.toml $(wildcard shared/pyproject.toml dev/pyproject.toml tests/pyproject.toml services/*/pyproject.toml)

NPM := $(RUN) npm --prefix frontend --no-update-notifier --silent
PAGE := frontend/index.html $(wildcard frontend/*.ts frontend/package.json) $(shell find frontend/src frontend/public -type f)

TICKETS ?= examples/tickets
ROLE ?= engineer

# The machine's own certificates: behind a proxy of a company they are the ones that work.
export UV_SYSTEM_CERTS ?= true
export NODE_USE_SYSTEM_CA ?= 1
unexport VIRTUAL_ENV

# Compiled once: a service that compiles its libraries at each start takes twice as long to be there.
export UV_COMPILE_BYTECODE ?= 1
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup servers page screenshots up down logs token demo test test-full test-compose check check-deploy sbom contracts bench notes bench-notes faults soak simulate clean

help: ## Lists these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r target text; do \
		printf '  make %-13s %s\n' "$$target" "$$text"; done

setup: .venv/.synced ## Installs uv into .uv/ and the project into .venv/; quick when nothing has changed

# Beforehand, so that no test's time limit pays for it.
servers: setup page
	@$(RUN) devstack install
	@$(RUN) devstack browser
	@$(RUN) python -m benchmarks.load || true

# Where npm's registry is out of reach, everything but the page works; what is installed must build.
page: setup ## Builds the engineer's page, which the gateway then serves
	@$(MAKE) -s --no-print-directory frontend/node_modules/.installed \
		|| { echo "the page cannot be built without npm's registry; its tests will say so" >&2; exit 0; }; \
	$(MAKE) -s --no-print-directory frontend/dist/index.html

screenshots: servers ## Writes docs/screenshots anew, of each mode of the banner and the queue
	$(RUN) pytest --full --screenshots docs/screenshots tests/e2e/page/test_views.py -k pictures

up: setup page ## Starts the whole stack (REPLICAS="gateway=2 …"), prints its URL and a token for each role
	@$(RUN) devstack up $(foreach each,$(REPLICAS),--replicas $(each))

down: setup ## Ends the stack, and removes its data and secrets
	@$(RUN) devstack down

logs: setup ## Follows the logs (NAME=gateway for one of them)
	@$(RUN) devstack logs --follow $(NAME)

token: setup ## Prints a token (ACCOUNT=<uuid> ROLE=viewer|engineer|lead|admin|service)
	@$(RUN) devstack token $(if $(ACCOUNT),--account $(ACCOUNT)) --role $(ROLE)

demo: setup page ## Starts the stack and plays realistic tickets through it (TICKETS=<folder>, STACK=compose)
ifeq ($(STACK),compose)
	@deploy/secrets
	docker compose up --detach --build --wait
	@$(RUN) devstack demo $(TICKETS) --gateway "http://$$(docker compose port gateway 8080)" --secret secrets/gateway_jwt_secret
else
	@$(RUN) devstack demo $(TICKETS)
endif

test: servers ## Runs the tests
	$(RUN) pytest -n auto

test-full: servers ## Runs all tests, the slow ones too
	$(RUN) pytest --full

test-compose: setup ## Brings docker-compose.yml up on an engine, breaks and scales it; "skipped: no engine" elsewhere (PARTS="kills tools")
	@PYTHONPATH=tests $(RUN) python -m compose $(PARTS)

check-deploy: setup ## Compose file, images' recipe and Kubernetes manifests, by linters, schemas and tests of our own
	@UV="$(UV)" tests/check-deploy
	$(RUN) pytest tests/unit/deploy

sbom: setup ## Writes sbom/<service>.cdx.json: what the images are made of
	@mkdir -p sbom
	@for service in gateway fix-outcomes note-generator; do \
		$(UV) export --quiet --locked --no-dev --package $$service --preview-features sbom-export --format cyclonedx1.5 --output-file sbom/$$service.cdx.json >/dev/null; done
	@ls sbom/*.json

check: setup frontend/node_modules/.installed ## Lint, format, types, layering, unused code, and whether what is generated is up to date
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) python -m shared.contracts.document --check
	$(RUN) python -m devstack.settings_document --check
	@mkdir -p frontend/node_modules/.cache
	$(RUN) python -m gateway.openapi > frontend/node_modules/.cache/openapi.json
	$(NPM) run check

contracts: setup frontend/node_modules/.installed ## Writes docs/messages.md, docs/settings.md and the page's types anew
	$(RUN) python -m shared.contracts.document
	$(RUN) python -m devstack.settings_document
	@mkdir -p frontend/node_modules/.cache
	$(RUN) python -m gateway.openapi > frontend/node_modules/.cache/openapi.json
	$(NPM) run types

bench: servers ## Compares this stack with an in-process monolith
	$(RUN) python -m benchmarks.run

notes: setup ## Shows one example ticket's notes: bundle, documents, checks, cost (TICKET=<name>)
	@$(RUN) python -m benchmarks.show_notes $(TICKET)

bench-notes: setup ## Writes the table of LLM calls, tokens and cost into docs/notes.md
	$(RUN) python -m benchmarks.notes

faults: servers ## Kills, pauses and cuts off processes under load, and judges (ONLY=name,name SEED=n DOCUMENT=file)
	$(RUN) faults run $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED)) $(if $(DOCUMENT),--document $(DOCUMENT))

soak: servers ## Load with a random fault every 20 s, for 30 minutes; judges record and memory (MINUTES=n SEED=n)
	$(RUN) faults soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

simulate: setup ## Runs the core on servers in memory, from 5,000 seeds; replays one (SEEDS=1 SEED=…)
	$(RUN) faults simulate $(if $(SEEDS),--seeds $(SEEDS)) $(if $(SEED),--seed $(SEED))

clean: ## Ends the stack and removes everything that was made here
	@if [ -e .run/state.json ]; then $(MAKE) --no-print-directory down; fi
	rm -rf .run .venv .uv .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis .import_linter_cache sbom frontend/node_modules frontend/dist

$(UV):
	@dev/install-uv .uv/$(UV_VERSION) $(UV_VERSION)

.venv/.synced: uv.lock $(PROJECTS) | $(UV)
	@echo "installing the project into .venv" >&2
	@$(UV) sync --locked --quiet
	@touch $@

frontend/node_modules/.installed: frontend/package-lock.json | .venv/.synced
	@echo "installing what the page is built with" >&2
	@$(NPM) ci
	@touch $@

frontend/dist/index.html: $(PAGE) frontend/node_modules/.installed
	@$(NPM) run build
	@touch $@
