# Everything sets itself up: a virtual environment in .venv, exact versions, nothing outside of it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
PINS := pyproject.toml constraints.txt requirements-litellm.txt
PACKAGES := router verifiers local_model policies ledger

.DEFAULT_GOAL := help
.PHONY: help demo test check wheel clean

help:  ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

demo: $(VENV)/.run  ## watch the gateway work on 24 documents with a model on this machine
	@$(BIN)/steelyard local pull smollm2 > /dev/null
	@$(BIN)/steelyard demo

test: check  ## lint, types, import rules, and all tests
	@$(BIN)/steelyard local pull smollm2 > /dev/null
	@$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

check: $(VENV)/.dev  ## lint, types, import rules, the tidy test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PACKAGES) tests bench
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/test_tidy.py

wheel: $(VENV)/.dev  ## build the wheel into dist/
	@$(BIN)/python -m hatchling build -t wheel

clean:  ## remove the virtual environment and what tools left behind
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.*

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name one with: make PYTHON=python3.11")'
	@echo "1/3 making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.litellm: $(VENV)/bin/python requirements-litellm.txt
	@echo "2/3 installing litellm alone, by hash (its price list and vocabularies)"
	@$(PIP) install --no-deps --require-hashes -r requirements-litellm.txt
	@touch $@

$(VENV)/.run: $(VENV)/.litellm $(PINS)
	@echo "3/3 installing Steelyard and what it needs"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.litellm $(PINS)
	@echo "3/3 installing Steelyard, the V4 extra (torch) and the development tools"
	@$(PIP) install -c constraints.txt -e '.[v4,dev]'
	@touch $@ $(VENV)/.run
