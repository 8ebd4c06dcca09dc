# Everything is installed into .venv from requirements.lock, with hashes. See README.md.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENGINES := tests/engines
INSTALLED := $(VENV)/.installed
MADE_DAY := nodes/data/made-day-b3-2026-07-14.zip
DEMO_STATE := .novate-demo
# Files of tests side by side, as many as there are cores.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: help install clients engines demo test test-differential test-deep test-postgres \
	check format contracts gas load-smoke load overload lock screenshots clean

help:  ## Show what can be made.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

install: $(INSTALLED)  ## Prepare .venv with locked dependencies and the command novate.

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 13) else "Novate needs CPython 3.11 or 3.12: make PYTHON=python3.11 install")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

clients:  ## Install cast, ethers and viem for the conformance tests (needs npm).
	tests/conformance/install.sh

engines: $(ENGINES)/node_modules/.installed  ## Fetch the engines that tests run on (needs npm).

$(ENGINES)/node_modules/.installed: $(ENGINES)/package.json $(ENGINES)/package-lock.json
	cd $(ENGINES) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

demo: install  ## Settle the bundled market day and show its summary.
	$(BIN)/novate day --trades $(MADE_DAY) --folder $(DEMO_STATE)

test: install  ## Run the test suite.
	$(PYTEST)

test-deep: install  ## Run the long tests: hundreds of kills, long simulations.
	HYPOTHESIS_PROFILE=deep $(PYTEST) -m "deep or not deep"

test-differential: install  ## Run the test suite on revm and py-evm at once.
	NOVATE_TEST_EXECUTOR=both $(PYTEST)

test-postgres: install  ## Run tests of books, nodes and days with their books on PostgreSQL.
	$(BIN)/python -m tests.support.postgres

check: install  ## Run what CI runs: lint, types, layers, tests.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(PYTEST)

format: install  ## Format the code and mend what can be mended.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

contracts: install  ## Compile the contracts into contracts/artifacts.
	$(BIN)/python -m contracts.compile

gas: install  ## Write the gas snapshot again.
	$(BIN)/python -m tests.contracts.test_gas

load-smoke: install  ## A quarter of a minute of load by two workers; fails when it is not sound.
	$(BIN)/python -m loadtests.run smoke --workers 2

load: install  ## A minute of a normal day; the report is load-report/report.html.
	$(BIN)/python -m loadtests.run steady --out load-report

overload: install  ## Three times what is sustainable; the report is load-overload/report.html.
	$(BIN)/python -m loadtests.run --overload --out load-overload

screenshots: install  ## Take the pictures of docs/images again (needs Chromium).
	$(BIN)/python -m tests.support.screenshots docs/images

lock:  ## Resolve the dependencies again (needs uv).
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
		--extra load --extra postgres --extra dev --custom-compile-command "make lock" \
		--output-file requirements.lock pyproject.toml

clean:  ## Remove what was made, the demo's state included.
	rm -rf $(VENV) .novate .novate-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache \
		$(ENGINES)/node_modules
