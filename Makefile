# Python of the environment; `make` builds the environment when a recipe needs it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SEEDS ?= 1000
# What decides, without servers, trained models and the simulation of the whole plane.
UNIT := tests/unit $(foreach folder,api app mail models simulation,--ignore=tests/unit/$(folder)) \
	--ignore=tests/unit/orchestrator/test_every_agent.py

.DEFAULT_GOAL := help

LOCKS := requirements-build.lock requirements.lock
UV := $(BIN)/uv pip
SYNC := $(UV) sync --quiet --python $(BIN)/python --require-hashes --build-constraints requirements-build.lock
INSTALL := $(UV) install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline --editable .

# pip installs uv; uv installs exactly what the locks list, and the project with the pinned build tools.
$(VENV)/.uv: requirements-uv.lock
	@echo "Set-up: creating the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --require-hashes -r requirements-uv.lock
	@touch $@

$(VENV)/.runtime: $(LOCKS) pyproject.toml $(VENV)/.uv
	@echo "Set-up: installing the pinned packages"
	@$(SYNC) $(LOCKS)
	@$(INSTALL)
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Set-up: installing the pinned test tools"
	@$(SYNC) $(LOCKS) requirements-dev.lock
	@$(INSTALL)
	@touch $@

$(VENV)/.peers: requirements-peers.lock $(VENV)/.dev
	@$(SYNC) $(LOCKS) requirements-dev.lock requirements-peers.lock
	@$(INSTALL)
	@touch $@

# The tools of the site are added, so that no test tool has to be installed again.
$(VENV)/.docs: requirements-docs.lock $(VENV)/.dev
	@echo "Set-up: installing the pinned tools of the documentation"
	@$(UV) install --quiet --python $(BIN)/python --require-hashes -r requirements-docs.lock
	@touch $@

demo: $(VENV)/.runtime ## Run the simulated shop for 60 days beside a plain owner, then serve it
	$(BIN)/storecrew demo $(ARGS)

test: $(VENV)/.dev ## Run the tests (unit, contract, crash, e2e)
	$(BIN)/python -m pytest -n 2 $(ARGS)

unit: $(VENV)/.dev ## Run the quick tests, under a minute: decisions, agents, orchestrator, ledger
	$(BIN)/python -m pytest -n 2 $(UNIT) $(ARGS)

properties: $(VENV)/.dev ## Look for new examples that break a property: 2,000 at random for each
	$(BIN)/python -m pytest -n 2 --hypothesis-profile=searching -m hypothesis $(ARGS)

check: $(VENV)/.dev ## Lint, format, types, layers and sizes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini tests
	$(BIN)/lint-imports

fix: $(VENV)/.dev ## Format, and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

simulate: $(VENV)/.dev ## Simulate the whole plane with faults on SEEDS seeds
	$(BIN)/python -m storecrew.testing.simulation --seeds $(SEEDS) $(ARGS)

bench: $(VENV)/.dev ## Run every benchmark beside its peers
	for script in benchmarks/[!_]*.py; do $(BIN)/python $$script || exit 1; done

bench-models: $(VENV)/.peers ## Run the benchmarks of the models beside their peers and publish their tables
	for script in benchmarks/models/[!_]*.py; do $(BIN)/python $$script --write || exit 1; done

# Share of lines and branches, in percent, that tests must reach where decisions are made.
COVERAGE_BAR := 99
COVERAGE_BAR_FOR := src/storecrew/domain/*,src/storecrew/policy/*,src/storecrew/orchestrator/*
coverage: $(VENV)/.dev ## Branch coverage; fails where domain, policy and orchestrator are below their bar
	$(BIN)/python -m pytest -n 2 --cov --cov-report= $(ARGS)
	$(BIN)/coverage report --show-missing --skip-covered
	$(BIN)/coverage report --include="$(COVERAGE_BAR_FOR)" --fail-under=$(COVERAGE_BAR)

docs: $(VENV)/.docs ## Build the documentation into build/site; a dead link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

mutation: $(VENV)/.dev ## Mutate policy, money, orders and idempotency; print what the tests notice
	$(BIN)/mutmut run --max-children 2 $(ARGS)
	$(BIN)/python scripts/mutation_scores.py

COMPILE := $(UV) compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
lock: $(VENV)/.uv ## Pin the newest dependencies that the project allows
	$(COMPILE) --upgrade --group pyproject.toml:uv -o requirements-uv.lock
	$(COMPILE) --upgrade pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade -c requirements.lock --group pyproject.toml:build -o requirements-build.lock
	$(COMPILE) --upgrade -c requirements-build.lock -c requirements.lock --group pyproject.toml:dev -o requirements-dev.lock
	$(COMPILE) --upgrade -c requirements-build.lock -c requirements.lock -c requirements-dev.lock --group pyproject.toml:docs -o requirements-docs.lock
	$(COMPILE) --upgrade -c requirements-build.lock -c requirements.lock -c requirements-dev.lock --group pyproject.toml:peers -o requirements-peers.lock

help: ## Show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.PHONY: demo test unit properties check fix simulate bench bench-models coverage docs mutation lock help
