# The targets people use. Everything is set up on the way: a fresh Debian or Ubuntu machine needs nothing but make
# and Python >= 3.11.
.DEFAULT_GOAL := help
.PHONY: help demo test check bench format clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Watch a real model drift, live (DURATION=60)
	@$(BIN)/inference-exporter demo $(if $(DURATION),--duration $(DURATION)) $(ARGS)

test: $(VENV)/.test ## Run the tests (ARGS="-k relay")
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev ## Run the linters: ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test ## Run the benchmarks
	$(BIN)/python benchmarks/binning.py

format: $(VENV)/.dev ## Format the sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what was made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A marker per set of extras, made again when the dependencies change. python3-venv is a package of its own on
# Debian; where we may, it is installed.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed (PYTHON=python3.12 make ...)"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); deploy/install-tools python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.%: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$*]'
	@touch $@
