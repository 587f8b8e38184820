# Targets create the environment that they need: `make demo` and `make test` work on a fresh clone with Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup
setup: $(VENV)/.ready  ## Create the environment in .venv.

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Caseload needs Python 3.11 or newer. Choose one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing dependencies (hashes checked) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: lock
lock: setup  ## Update the lock file, which has versions and hashes only.
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate --no-strip-extras --quiet --group dev pyproject.toml -o requirements.lock

.PHONY: demo
demo: setup  ## Start everything with a demo practice, and print its URLs and logins.
	@$(BIN)/caseload demo

.PHONY: test
test: setup  ## Run the test suite on its own embedded PostgreSQL.
	$(BIN)/python -m pytest -n 2 --dist worksteal -q

.PHONY: browser
browser:  ## Install Chromium for the tests of the pages, where that is possible: as root on Debian.
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& timeout 300 apt-get install --yes --quiet=2 --no-install-recommends chromium >/dev/null; } \
		|| echo "Chromium is missing and cannot be installed here: the pages are NOT tested in a browser."

.PHONY: check
check: lint types contracts sql secrets  ## Run all checks; each also runs alone.

.PHONY: lint
lint: setup  ## Check the format, and lint.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

.PHONY: types
types: setup  ## Check types.
	$(BIN)/ty check --error-on-warning practice edi ingest warehouse orchestration api dashboards caseload

.PHONY: contracts
contracts: setup  ## Check the import contracts: layers, pure rules, no cycles.
	$(BIN)/lint-imports --no-logo

.PHONY: sql
sql: setup  ## Lint SQL, and find migrations that would lock a table.
	$(BIN)/sqlfluff lint --disable-progress-bar practice
	$(BIN)/squawk --exclude require-lock-timeout,require-statement-timeout practice/store/migrations/sql/*.sql

.PHONY: secrets
secrets: setup  ## Search tracked files for secrets.
	git ls-files -z -- ':!requirements.lock' ':!tests' | xargs -0 $(BIN)/detect-secrets-hook

.PHONY: words
words: setup  ## Show the share of functions and docstrings that begin with a verb, by package.
	$(BIN)/python -m tests.support.harness.words

.PHONY: errors
errors: setup  ## Write docs/errors.md from the error classes.
	$(BIN)/python -m tests.support.harness.error_reference > docs/errors.md

.PHONY: warehouse
warehouse: setup  ## Compile the dbt project: the SQL of each engine, and the metric dictionary.
	$(BIN)/python -m warehouse.compilation

.PHONY: format
format: setup  ## Format, and fix what the linter can.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: migration
migration: setup  ## Write the next migration from the models: make migration m="add rooms"
	$(BIN)/python -m tests.support.harness.new_migration "$(m)"

.PHONY: schema-snapshot
schema-snapshot: setup  ## Update the schema snapshot that tests compare with the migrations.
	$(BIN)/python -m tests.support.oracles.schema_snapshot > practice/store/schema.txt

.PHONY: bench
bench: setup  ## Measure speed against controls in the same run.
	$(BIN)/python -m bench.api
	$(BIN)/python -m bench.audit
	$(BIN)/python -m bench.schedule
	$(BIN)/python -m bench.notes
	$(BIN)/python -m bench.pay
	$(BIN)/python -m bench.sessions
	$(BIN)/python -m bench.marts
	$(BIN)/python -m bench.bundle 100000

.PHONY: bench-warehouse
bench-warehouse: setup  ## Measure refreshes of a practice with a million appointments.
	$(BIN)/python -m bench.warehouse

.PHONY: bench-pages
bench-pages: setup  ## Measure the pages of a practice with 100 clinicians and five years.
	$(BIN)/python -m bench.pages

.PHONY: bench-past
bench-past: setup  ## Use every service at random for a simulated year, and prove that past values stay.
	$(BIN)/python -m bench.past_year

# Other 835 readers and a fuzzer, in their own environment; Caseload does not depend on them.
PEERS := $(VENV)/edi-peers
$(PEERS)/.ready: $(VENV)/.ready
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/pip install --quiet --disable-pip-version-check oxedi==0.6.0 edi-835-parser==1.8.0 pyx12==4.0.0 \
		atheris "$$(grep -o '^polars==[0-9.]*' requirements.lock)"
	@touch $@

.PHONY: bench-edi
bench-edi: setup $(PEERS)/.ready  ## Compare the 835 reader with others in one run.
	$(BIN)/python -m bench.edi --peers $(PEERS)/bin/python

.PHONY: fuzz-edi
fuzz-edi: setup $(PEERS)/.ready  ## Read 100,000 damaged remittances, then fuzz for ten minutes.
	$(BIN)/python -m bench.edi_fuzz 100000
	PYTHONPATH=. $(PEERS)/bin/python -m bench.edi_atheris 600

.PHONY: sample-remittances
sample-remittances: setup  ## Rebuild the published sample remittances.
	$(BIN)/python -m edi.synthetic docs/remittances

.PHONY: down
down:  ## Stop the demo.
	@$(BIN)/caseload down

.PHONY: help
help:  ## List the targets.
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 22
