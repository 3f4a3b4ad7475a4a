# petlake: `make demo` and `make test` are the two commands; `make` lists the others.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The Python 3.11 to install with; found by scripts/install.sh when empty.
PYTHON ?=
# Patients of the demo cohort.
PATIENTS ?= 8
# Study of the pictures.
STUDY ?= demo
# More arguments for pytest (make test ARGS="tests/petct -k suv") or for the lock (make lock ARGS=--upgrade).
ARGS ?=

# Processes that share out the test files, in the order of tests/conftest.py; two more than two cores, because some tests
# wait for a server most of the time.
TEST_PROCESSES ?= 4

BIN := .venv/bin

# Without its compiled files every command would compile its libraries again.
unexport PYTHONDONTWRITEBYTECODE

# Nothing here reports its use to anyone.
export DAGSTER_DISABLE_TELEMETRY := yes
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false

.PHONY: help
help:  ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install:  ## Install petlake into .venv (every other command does this first)
	@PYTHON="$(PYTHON)" sh scripts/install.sh

.PHONY: demo
demo: install  ## Make a synthetic cohort in ./demo and run everything on it (PATIENTS=8)
	$(BIN)/petlake demo --patients $(PATIENTS) --dir demo

.PHONY: test
test: install  ## Run the tests (PETLAKE_DATA: the real data, default ../shared/data)
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder \
		--durations 15 $(ARGS)

# Mutated headers and damaged files; `make test` has 500 and 200 of them.
MUTATIONS ?= 20000
.PHONY: mutations
mutations: install  ## Hold the SUV of many mutated headers and damaged files against the oracle (MUTATIONS=20000)
	PETLAKE_MUTATIONS=$(MUTATIONS) PETLAKE_DAMAGED=$(MUTATIONS) $(BIN)/python -m pytest $(ARGS) \
		tests/petct/conformance/test_suv_mutations.py tests/petct/conformance/test_suv_damage.py

.PHONY: identity
identity: install  ## Compare every feature of all patients, filtered and resampled too, with pyradiomics (minutes)
	PETLAKE_IDENTITY=all $(BIN)/python -m pytest tests/petct/radiomics/test_identity.py

# Patients of the demo cohort whose lesions under four protocols are checked; `make test` has 2 of them.
PROTOCOL_PATIENTS ?= 12
.PHONY: protocols
protocols: install  ## Check the demo cohort under four protocols, voxel by voxel and in `petlake sensitivity` (a minute)
	PETLAKE_PROTOCOL_PATIENTS=$(PROTOCOL_PATIENTS) $(BIN)/python -m pytest tests/orchestration/test_demo_protocols.py

.PHONY: sts
sts: install  ## Hold the features of all 20 sarcoma patients against those of the plain images (minutes)
	PETLAKE_STS=all $(BIN)/python -m pytest tests/orchestration/test_line_on_sts.py

# Requests of each analysis, of which command, page, ledger, texts and bundle agree; `make test` has a sample.
EXAMPLES ?= 200
.PHONY: requests
requests: install  ## Hold command, page, ledger and exports of many generated requests against each other (EXAMPLES=200)
	PETLAKE_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/analyses/test_standing.py

# Of a version that was raised for numbers of other studies: ELSEWHERE='suv: Philips counts'.
ELSEWHERE ?=
.PHONY: golden
golden: install  ## Write the golden record of the demo's tables again, and print what moved for CHANGELOG.md
	$(BIN)/python -m tests.golden --elsewhere "$(ELSEWHERE)"

.PHONY: wording
wording: install  ## Write again what the tests expect the pages to say (tests/dashboard/golden), to be read as a diff
	rm -f tests/dashboard/golden/*.md
	PETLAKE_WORDING=write $(BIN)/python -m pytest -q tests/dashboard --ignore tests/dashboard/test_journeys.py

.PHONY: bench
bench: install  ## Measure the claims of docs/benchmarks.md, one script a claim (PETLAKE_DATA)
	@failed=; for script in benchmarks/p[0-9]*.py; do \
		echo "$$script"; $(BIN)/python $$script || failed="$$failed $$script"; \
	done; if [ -n "$$failed" ]; then echo "missed:$$failed"; exit 1; fi

# What `make test` takes a sample of, or leaves to an idle machine.
LONG := identity sts mutations protocols requests simulate bench
.PHONY: test-long
test-long: install  ## Run what takes long: identity, sts, mutations, protocols, requests, simulate and bench (hours)
	@failed=; for each in $(LONG); do \
		echo "make $$each"; $(MAKE) $$each || failed="$$failed $$each"; \
	done; if [ -n "$$failed" ]; then echo "failed:$$failed"; exit 1; fi

.PHONY: lint
lint: install  ## Check format, style and spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell

.PHONY: format
format: install  ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: types
types: install  ## Check the types of all packages
	$(BIN)/mypy

.PHONY: layers
layers: install  ## Check who may import whom
	$(BIN)/lint-imports

.PHONY: definitions
definitions: install  ## Check that Dagster's definitions load
	@mkdir -p .venv/dagster && printf 'telemetry:\n  enabled: false\n' > .venv/dagster/dagster.yaml
	VIRTUAL_ENV=$(CURDIR)/.venv DAGSTER_HOME=$(CURDIR)/.venv/dagster $(BIN)/dg check defs

.PHONY: check
check: lint types layers definitions docs test  ## All of the above checks, and the tests

# Of the simulation: first seed, null cohorts of each kind, cohorts of each planted effect.
SEED ?= 20250681
COHORTS ?= 2000
PLANTED ?= 500

.PHONY: simulate
simulate: install  ## Simulate what the tests find in noise and in signal, into docs/validation.md (10 minutes)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.simulate --seed $(SEED) --cohorts $(COHORTS) --planted $(PLANTED)

.PHONY: dictionary
dictionary: install  ## Write docs/data-dictionary.md from records
	$(BIN)/python -m warehouse.registry.dictionary > docs/data-dictionary.md.new
	mv docs/data-dictionary.md.new docs/data-dictionary.md

.PHONY: docs
docs: install  ## Build the documentation site into site/, with warnings as errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Open site/index.html"

.PHONY: tutorial
tutorial: install  ## Run the commands of docs/tutorial.md on a new demo cohort and write their output into it (minutes)
	$(BIN)/python -m scripts.tutorial

.PHONY: screenshots
screenshots: install  ## Take the README's pictures of a published study (STUDY=demo; needs chromium)
	$(BIN)/python scripts/screenshots.py --study $(STUDY)

.PHONY: ui
ui: install  ## Open the Dagster UI on the demo study
	$(BIN)/petlake ui --study demo

.PHONY: dashboard
dashboard: install  ## Open the dashboard on the demo study
	$(BIN)/petlake dashboard --study demo

.PHONY: hooks
hooks: install  ## Run the checks of `make lint` before every commit
	$(BIN)/pre-commit install

.PHONY: lock
lock: install  ## Solve pyproject.toml again into requirements.lock (ARGS=--upgrade for newer versions)
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --python-version 3.11 \
		--custom-compile-command "make lock" --extra dev --extra docs --extra build $(ARGS) pyproject.toml -o requirements.lock
	grep -o '^uv==[^ ]*' scripts/bootstrap.lock | $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url \
		--python-version 3.11 --custom-compile-command "make lock" - -o scripts/bootstrap.lock

.PHONY: clean
clean:  ## Remove .venv, the demo and what the tools left
	rm -rf .venv demo site .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
