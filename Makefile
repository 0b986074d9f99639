# Everything starts from Python 3.11 or newer, git and make; `make help` lists the targets.
# Choose a Python with `make PYTHON=/path/to/python3.12 ...`.
.DEFAULT_GOAL := help
.PHONY: help plan test slow check bench lock picture clean
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PYTEST ?= -n auto
PATIENT ?= examples/metachronous_solitary.json
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
SETTINGS := pyproject.toml constraints.txt

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

plan: $(VENV)/.run ## plan for one patient (PATIENT=file) and say where the report is
	$(BIN)/metachron plan $(PATIENT)

test: $(VENV)/.test ## run the tests
	$(BIN)/python -m pytest $(PYTEST)

slow: $(VENV)/.test ## run the statistical tests that need many twins
	$(BIN)/python -m pytest -m slow $(PYTEST)

check: $(VENV)/.dev ## lint, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/.test ## measure everything and write docs/benchmarks.md (BENCH="cost cold" for some)
	$(BIN)/python scripts/benchmarks $(BENCH)

lock: ## pin the newest versions allowed in constraints.txt
	scripts/lock $(PYTHON)

picture: $(VENV)/.test ## make the sample and the picture of the README again from a real plan
	$(BIN)/python scripts/readme

clean: ## remove the environment and caches (plans stay)
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find src tests -name __pycache__ -prune -exec rm -rf {} +

# A stamp says that its set of packages is installed; it is made again when the settings change.
$(VENV)/.python: scripts/make-venv
	scripts/make-venv $(VENV) $(PYTHON)
	@touch $@

$(VENV)/.run: $(VENV)/.python $(SETTINGS)
	@echo "Installing metachron in $(VENV) (once)"
	$(INSTALL) hatchling editables
	$(INSTALL) --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@echo "Installing what the tests need"
	$(INSTALL) --no-build-isolation -e '.[test,calibrate]'
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	@echo "Installing the linters"
	$(INSTALL) --no-build-isolation -e '.[test,dev]'
	@touch $@
