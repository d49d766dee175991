# Python of the environment; `make` builds the environment when a recipe needs it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SEEDS ?= 1000

.DEFAULT_GOAL := help

$(VENV)/.runtime: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps -e .
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

$(VENV)/.peers: requirements-peers.lock $(VENV)/.dev
	$(BIN)/pip install --quiet --require-hashes -r requirements-peers.lock
	touch $@

demo: $(VENV)/.runtime ## Run the simulated shop for 60 days beside a plain owner, then serve it
	$(BIN)/storecrew demo $(ARGS)

test: $(VENV)/.dev ## Run the tests (unit, contract, crash, e2e)
	$(BIN)/python -m pytest -n 2 $(ARGS)

properties: $(VENV)/.dev ## Look for new examples that break a property: 2,000 at random for each
	$(BIN)/python -m pytest -n 2 --hypothesis-profile=searching -m hypothesis $(ARGS)

check: $(VENV)/.dev ## Lint, format, types, layers and sizes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
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

coverage: $(VENV)/.dev ## Branch coverage, with the bar for domain, policy and orchestrator
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term-missing:skip-covered

lock: ## Pin the dependencies again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group dev -c requirements.lock -o requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group peers -c requirements.lock -c requirements-dev.lock -o requirements-peers.lock

help: ## Show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.PHONY: demo test properties check fix simulate bench bench-models coverage lock help
