# Loanbook: every command that a person types. GNU make and a POSIX shell are enough.

PYTHON ?= python3
LOANS  ?= 1000
SEED   ?= 20260101
FILE   ?=
FROM   ?=
SCALE  ?= 1
JOBS   ?= 2

BIN      := .venv/bin
RUNTIME  := .venv/.runtime-installed
DEV      := .venv/.dev-installed
PIP      := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV       := uv==0.13.9
PACKAGES := ledger servicing origination gl_export api

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-deep check check-static bench docs lock clean
.DELETE_ON_ERROR:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  Settings: PYTHON=python3.12  LOANS=1000 SEED=20260101 FILE=tape.csv FROM=2026-01 (demo)  SCALE=0.1 (bench)  JOBS=2 (test)"

# --- the environment ------------------------------------------------------------------------------

venv: $(DEV) ## create .venv with everything locked, for work on the code

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Loanbook needs Python 3.11 or later; '$(PYTHON)' is not: try make PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "'$(PYTHON)' cannot make virtual environments: install its venv module (Debian: python3-venv)" >&2; exit 2; }
	@echo "Creating .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

# One stamp per lock file: the environment is touched again only when a lock or pyproject.toml changes.
$(RUNTIME): requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing requirements.lock"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "Installing requirements-dev.lock"
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@

# The locks name no index and hold a hash for every file of every platform; requirements.lock is a subset
# of requirements-dev.lock with the same versions. `make lock UPGRADE=--upgrade` takes the newest releases.
LOCK = .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
       --no-emit-find-links --custom-compile-command "make lock" --group build $(UPGRADE) pyproject.toml

lock: ## resolve pyproject.toml again into the two lock files (UPGRADE=--upgrade: newest releases)
	@$(PYTHON) -m venv .venv-lock
	@.venv-lock/bin/python -m pip --disable-pip-version-check --quiet install $(UV)
	@$(LOCK) --all-extras --output-file requirements-dev.lock
	@$(LOCK) --extra embedded --extra serve --constraint requirements-dev.lock --no-annotate --output-file requirements.lock
	@rm -rf .venv-lock

# --- the main jobs --------------------------------------------------------------------------------

demo: $(RUNTIME) ## board a portfolio, live three months of it, close, export, reconcile: out/
	@$(BIN)/loanbook demo --loans $(LOANS) --seed $(SEED) $(if $(FILE),--file "$(FILE)" $(if $(FROM),--from $(FROM)))

test: $(DEV) ## run every test; on two versions of PostgreSQL where two are installed
	@JOBS=$(JOBS) $(BIN)/python -m tests.run

test-deep: $(DEV) ## the same with many more generated examples
	@JOBS=$(JOBS) $(BIN)/python -m tests.run --hypothesis-profile=deep --timeout=3600

check: check-static ## everything a change must pass before review
	@$(MAKE) --no-print-directory test

check-static: $(DEV)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.checks

bench: $(DEV) ## measure against floors taken in the same run: out/bench.json
	@SCALE=$(SCALE) $(BIN)/python -m tests.bench

docs: $(DEV) ## write the generated reference pages again
	@$(BIN)/python -m tests.checks.generated_docs --write

# Works without .venv as well. A state directory elsewhere (LOANBOOK_STATE_DIR) may hold real books: not touched.
clean: ## stop the embedded server of this folder; remove its data, out/, caches and .venv
	@if [ -d .loanbook ]; then \
	  python=$(BIN)/python; [ -x $$python ] || python=$(PYTHON); $$python -m ledger.embedded remove .loanbook; fi
	@rm -rf out .loanbook .venv .venv-lock .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache \
	  build *.egg-info
	@find $(PACKAGES) migrations tests -name __pycache__ -prune -exec rm -rf {} +
