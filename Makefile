# Everything a newcomer or CI does, as one word each. Needs make and Python >= 3.11, nothing else.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help venv demo test coverage test-fast bench faults soak lint format fuzz gen baseline screenshots constraints clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

venv: ## bring .venv up to date, with the development tools
	@$(PYTHON) make/environment.py --dev

demo: ## seven agencies on this machine; ONCE=1 checks every claim and ends, WATCH=1 waits for you at its desk
	@$(PYTHON) make/environment.py
	@$(BIN)/renkei demo $(if $(ONCE),--once) $(if $(WATCH),--watch)

test: venv ## what CI runs: lint, types, contract, every service alone, all tests; DATABASE=both or postgresql
	@$(BIN)/python make/check.py $(if $(DATABASE),--database=$(DATABASE))

coverage: venv ## make test, and which lines no test runs
	@$(BIN)/python make/check.py --coverage

test-fast: venv ## the quick part of it, under three minutes
	@$(BIN)/python make/check.py --fast $(if $(DATABASE),--database=$(DATABASE),--database=sqlite)

bench: venv ## measure, and write docs/performance.md; ONLY=name measures one figure or row
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY))

faults: venv ## every fault and every planted bug once; a quarter of an hour
	@RENKEI_FAULTS=all $(BIN)/python -m pytest -q --numprocesses=2 --durations=0 tests/system/test_each_fault.py tests/system/test_planted_bugs.py

MINUTES ?= 10
soak: venv ## random mixtures of faults; MINUTES=n, or SEED=n ROUNDS=n to see one again, JSON=1, KEEP=folder
	@$(BIN)/python -m tests.system.faults.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(JSON),--json) $(if $(KEEP),--keep $(KEEP))

lint: venv ## style, types, imports and contract, without tests
	@$(BIN)/python make/check.py --lint

format: venv ## bring Python and proto files into shape
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@$(BIN)/buf format --write --path proto/renkei

fuzz: venv ## feed broken bytes to every decoder for MINUTES (5), and keep what is new
	@$(BIN)/python -m tests.fuzz.guided --keep --minutes $(or $(MINUTES),5)

gen: ## generate Python from proto/
	@$(PYTHON) make/environment.py
	@$(BIN)/python services/contract/hatch_build.py

baseline: venv ## accept the contract as it is now; needs a line in CHANGELOG.md
	@$(BIN)/buf build --path proto/renkei --exclude-source-info --output tests/contract/baseline.binpb

screenshots: venv ## pictures of every page of the desk into docs/screenshots; needs Chromium and Japanese fonts
	@$(BIN)/python -m tests.system.desk_pictures

constraints: venv ## write constraints.txt anew; UPGRADE=1 moves every version to the newest
	@$(BIN)/python make/constraints.py $(if $(UPGRADE),--upgrade)

clean: ## remove .venv, caches and generated files
	@rm -rf .venv .cache .*_cache .hypothesis .coverage* htmlcov services/contract/src proto/third_party services/normalform/src/renkei_normalform/tables services/desk/src/renkei_desk/static/htmx.js
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
