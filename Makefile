# Every target's comment after ## is what `make help` prints.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .make
# Tools from npm run on the system's Node, or on the one that the locked dev requirements carry.
NODE_PATH_PREFIX := $(abspath $(BIN))
DATA_DIR ?= ./data
PACKAGES := im_bench im_cli im_gateway im_infra im_logic im_proto im_repo im_sdk im_task
PAGES := messages http settings cli metrics result dashboard
FAULT_ROWS := $(STAMPS)/faults.jsonl

.PHONY: help run cluster cluster-down test check faults bench proto proto-check docs docs-check lock format clean

help: ## Print every target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}'

run: $(STAMPS)/runtime ## Set up and start the embedded cluster (DATA_DIR=./data)
	@exec $(BIN)/im up --data-dir $(DATA_DIR)

cluster: $(STAMPS)/runtime ## Start a distributed cluster on this machine (YES=1 installs missing engines without asking)
	@exec $(BIN)/im cluster up $(if $(filter true,$(CI)),--yes)

cluster-down: $(STAMPS)/runtime ## Stop exactly that cluster
	@exec $(BIN)/im cluster down

test: $(STAMPS)/dev ## Set up and run every test (TESTS=path narrows it); missing engines are named, CI=true installs them
	@$(BIN)/im cluster install $(if $(filter true,$(CI)),--yes,--check)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "not faults" $(TESTS)

check: $(STAMPS)/dev $(STAMPS)/npm proto-check docs-check ## Formatting, lint, types, architecture, contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_tests_mirror.py

faults: $(STAMPS)/dev ## The long rounds of crash, fuzz and fault tests (about an hour), and the table of docs/reference/reliability.md
	@rm -f $(FAULT_ROWS)
	FAULT_ROWS=$(abspath $(FAULT_ROWS)) $(BIN)/python -m pytest -m faults --timeout 3600 $(TESTS); status=$$?; \
	  [ ! -e $(FAULT_ROWS) ] || $(BIN)/python -m tests.harness.fault_table $(FAULT_ROWS) docs/reference/reliability.md; exit $$status

bench: $(STAMPS)/runtime ## Measure a fixed set on both kinds of cluster, about 5 minutes, into benchmarks/
	$(BIN)/im bench regression

proto: $(STAMPS)/dev ## Generate im_proto/ and the tables of errors from proto/
	$(BIN)/python tools/generate_errors.py
	PATH="$(NODE_PATH_PREFIX):$$PATH" $(BIN)/python tools/generate_proto.py

proto-check: $(STAMPS)/dev $(STAMPS)/npm ## Compare the generated code, lint proto/, look for breaking changes
	PATH="$(NODE_PATH_PREFIX):$$PATH" $(BIN)/python tools/generate_proto.py --check
	$(BIN)/python tools/generate_errors.py --check
	cd proto && PATH="$$PATH:$(NODE_PATH_PREFIX)" ../node_modules/.bin/buf lint
	PATH="$$PATH:$(NODE_PATH_PREFIX)" tools/check_proto_breaking.sh

docs: $(STAMPS)/dev ## Generate the pages of docs/reference that the code tells
	for page in $(PAGES); do $(BIN)/python tools/generate_$${page}_page.py; done

docs-check: $(STAMPS)/dev ## Compare those pages with the code
	for page in $(PAGES); do $(BIN)/python tools/generate_$${page}_page.py --check; done

lock: $(STAMPS)/dev ## Write requirements/*.txt anew from pyproject.toml
	for name in runtime dev; do \
	  group=$$([ $$name = dev ] && echo dev || echo build); \
	  $(BIN)/uv pip compile --quiet pyproject.toml --extra tracing --group $$group --universal --python-version 3.11 --upgrade \
	    --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file requirements/$$name.txt; \
	done

format: $(STAMPS)/dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what was built (never data)
	rm -rf $(VENV) $(STAMPS) node_modules dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3.11 make …"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Which requirements are installed is a stamp; the dev ones contain the runtime ones. Our own modules are compiled as pip
# compiled theirs, so that the first start is as quick as the next.
$(STAMPS)/runtime: requirements/runtime.txt pyproject.toml | $(VENV)/bin/python
	@mkdir -p $(STAMPS)
	@[ -e $(STAMPS)/dev ] || { echo "Installing the locked dependencies …"; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $@

$(STAMPS)/dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@mkdir -p $(STAMPS)
	@echo "Installing the locked dependencies, with those of the tests …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $@ $(STAMPS)/runtime

$(STAMPS)/npm: package-lock.json package.json | $(STAMPS)/dev
	@mkdir -p $(STAMPS)
	@# Not `npm ci`: it insists on optional packages of every other platform, which not every registry mirror has.
	@PATH="$$PATH:$(NODE_PATH_PREFIX)" npm install --no-save --loglevel error --no-fund --no-audit
	@touch $@
