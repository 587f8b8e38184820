# Every target does its own set-up; `make demo` and `make test` work on a fresh clone with nothing but Python >= 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup
setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Caseload needs Python 3.11 or newer. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what Caseload is built on (hashes checked) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: lock
lock: setup  ## Choose versions anew. The lock file carries versions and hashes, no addresses.
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--no-annotate --quiet --group dev pyproject.toml -o requirements.lock

.PHONY: demo
demo: setup  ## A demo practice, everything up, addresses and logins printed.
	@$(BIN)/caseload demo

.PHONY: test
test: setup  ## The whole test suite, on a real embedded PostgreSQL of its own.
	$(BIN)/python -m pytest -n 2 --dist worksteal -q

.PHONY: check
check: setup  ## Format, lint, types, import contracts, SQL, secrets.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/ty check --error-on-warning practice edi ingest api caseload
	$(BIN)/lint-imports --no-logo
	$(BIN)/sqlfluff lint --disable-progress-bar practice
	$(BIN)/squawk --exclude require-lock-timeout,require-statement-timeout practice/store/migrations/sql/*.sql
	git ls-files -z -- ':!requirements.lock' ':!tests' | xargs -0 $(BIN)/detect-secrets-hook

.PHONY: format
format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: migration
migration: setup  ## Write the next migration from the models: make migration m="what it does"
	$(BIN)/python -m tests.support.harness.new_migration "$(m)"

.PHONY: schema-snapshot
schema-snapshot: setup  ## Renew the snapshot of the schema that the tests compare with.
	$(BIN)/python -m tests.support.oracles.schema_snapshot > tests/store/schema_snapshot.txt

.PHONY: bench
bench: setup  ## Speed, measured in one run against a control.
	$(BIN)/python -m bench.api
	$(BIN)/python -m bench.audit
	$(BIN)/python -m bench.schedule
	$(BIN)/python -m bench.notes
	$(BIN)/python -m bench.pay
	$(BIN)/python -m bench.bundle 100000

# Other readers of the 835, and a fuzzer, in an environment of their own: none of it is part of Caseload.
PEERS := $(VENV)/edi-peers
$(PEERS)/.ready: $(VENV)/.ready
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/pip install --quiet --disable-pip-version-check oxedi==0.6.0 edi-835-parser==1.8.0 pyx12==4.0.0 \
		atheris "$$(grep -o '^polars==[0-9.]*' requirements.lock)"
	@touch $@

.PHONY: bench-edi
bench-edi: setup $(PEERS)/.ready  ## The reader of the 835 against others, in one run.
	$(BIN)/python -m bench.edi --peers $(PEERS)/bin/python

.PHONY: fuzz-edi
fuzz-edi: setup $(PEERS)/.ready  ## 100,000 damaged remittances, then ten minutes of a fuzzer.
	$(BIN)/python -m bench.edi_fuzz 100000
	PYTHONPATH=. $(PEERS)/bin/python -m bench.edi_atheris 600

.PHONY: sample-remittances
sample-remittances: setup  ## The published remittances, made anew.
	$(BIN)/python -m edi.synthetic docs/remittances

.PHONY: down
down:
	@$(BIN)/caseload down

.PHONY: help
help:
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 12
