# Everything a person does here starts with make; `make` alone prints the list.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

# The first interpreter that will do, asked only when the environment has to be made.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
NAME ?=
MINUTES ?= 10
SEED ?= 0
SEEDS ?= 60
FIRST ?= 0
ROUNDS ?= 2000

# The stamp's name is a checksum of what decides the environment: lock, metadata, place.
# Same content, same stamp, nothing to do; a fresh checkout with new times installs nothing twice.
STAMP := $(VENV)/.installed-$(shell { pwd; cat requirements.txt; sed '/^\[tool\.ruff/,$$d' pyproject.toml; } | cksum | tr ' ' '-')

.PHONY: help setup demo test test-long stories simulate hledger mutants check format bench chaos flash-sale oversell connector lock clean

help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with every pinned dependency and the package itself
	@:

$(STAMP): export PIP_DISABLE_PIP_VERSION_CHECK := 1
$(STAMP): export PIP_NO_INPUT := 1
$(STAMP):
	@$(if $(PYTHON),$(PYTHON),false) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null || { \
	  echo "make setup: Python 3.11 to 3.14 is needed, and '$(or $(PYTHON),python3)' is none. Name one: make PYTHON=/path/to/python3.11 setup" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make setup: '$(PYTHON)' cannot make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@rm -f $(VENV)/.installed-*
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --no-compile --require-hashes --only-binary :all: --no-deps -r requirements.txt
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation --no-index -e .
	@touch $@

demo: setup ## Play the demo: make demo ARGS="..."
	@$(BIN)/tillbridge demo $(ARGS)

test: check ## Gates, then every test that is not marked long, on all processors
	@$(BIN)/pytest -m "not long" -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder $(ARGS)

test-long: setup ## Only the tests marked long: crash, volume, simulation
	@$(BIN)/pytest -m long $(ARGS)

stories: setup ## Play every story; print the list with results, and three sales in full
	@$(BIN)/python -m tests.stories $(ARGS)

simulate: setup ## Play the whole hub in virtual time: make simulate SEEDS=500 FIRST=0
	@$(BIN)/python -m tests.fire.simulation --seeds $(SEEDS) --first $(FIRST) $(ARGS)

hledger: setup ## Have a real hledger check the exported books (HLEDGER=/path, or on the path)
	@$(BIN)/pytest -q -rs -k hledger tests/stories/test_the_books_pass_the_real_checker.py $(ARGS)

mutants: setup ## Plant each seeded bug by itself and see a named test catch it
	@$(BIN)/python -m tests.fire.mutants $(ARGS)

check: setup ## Only the gates: format, lint, types, imports
	@status=0; \
	$(BIN)/ruff format --check --output-format concise . || { echo "make check: run 'make format'" >&2; status=1; }; \
	$(BIN)/ruff check --quiet --output-format concise . || status=1; \
	$(BIN)/mypy || status=1; \
	$(BIN)/lint-imports --no-logo >$(VENV)/law 2>&1 || { cat $(VENV)/law; status=1; }; \
	tail -n 1 $(VENV)/law; exit $$status

format: setup ## Lay out the code and mend what the linter can mend
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

bench: setup ## Measure intake, flow, verify, reservations, availability and settlement here
	@$(BIN)/tillbridge bench intake $(ARGS)
	@$(BIN)/tillbridge bench flow $(ARGS)
	@$(BIN)/tillbridge bench verify $(ARGS)
	@$(BIN)/tillbridge bench reserve $(ARGS)
	@$(BIN)/tillbridge bench availability $(ARGS)
	@$(BIN)/tillbridge bench settle $(ARGS)

chaos: setup ## Kill, cut and starve a real hub for a while: make chaos MINUTES=10 SEED=1 ARGS="--json FILE"
	@$(BIN)/python -m tests.fire.chaos --minutes $(MINUTES) --seed $(SEED) $(ARGS)
	@$(BIN)/python -m tests.fire.oversell --rounds $(ROUNDS) --seed $(SEED)

oversell: setup ## Let 64 buyers fight for 20 pieces, over and over: make oversell ROUNDS=2000 SEED=4
	@$(BIN)/python -m tests.fire.oversell --rounds $(ROUNDS) --seed $(SEED) $(ARGS)

flash-sale: MINUTES = 1.5
flash-sale: setup ## One product at 12 times the usual traffic, a table and a picture: make flash-sale MINUTES=1.5 ARGS="--no-limits"
	@$(BIN)/python -m pip install -qq --no-compile --require-hashes --only-binary :all: --no-deps -r tests/fire/flash_sale/requirements.txt || \
	  echo "make flash-sale: it goes on without a picture" >&2
	@mkdir -p build
	@$(BIN)/python -m tests.fire.flash_sale --seconds $$(awk 'BEGIN {print 60 * $(MINUTES)}') --json build/flash-sale.json --plot build/flash-sale.png $(ARGS)

connector: setup ## Write the skeleton of a connector: make connector NAME=x
	@test -n "$(NAME)" || { echo "make connector: give it a name, as in: make connector NAME=acme_pos" >&2; exit 2; }
	@$(BIN)/python -m tillbridge.app.scaffold $(NAME)
	@$(BIN)/ruff format --quiet src/tillbridge/connectors/$(NAME)

lock: ## Solve the dependencies anew into requirements.txt
	@d=$$(mktemp -d) && trap 'rm -rf "$$d"' EXIT && $(PYTHON) -m venv "$$d" && "$$d/bin/pip" install -qq uv && \
	  "$$d/bin/uv" pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	    --upgrade --group dev pyproject.toml --output-file requirements.txt

clean: ## Remove what make made (the environment and the caches)
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests -type d -name __pycache__ -prune -exec rm -rf {} +
