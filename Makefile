# Each target sets up what it needs in .venv by itself; once it is there, it starts at once.
#
#   make run                              the demo on the virtual board, live in the browser at a terminal
#                                         (ARGS=--no-view: without); leaves build/demo_download.png
#   make test                             all tests on the virtual board
#   make test BOARD=unix_sdl BINARY=PATH  ... on lvgl_micropython's desktop binary
#   make test PORT=/dev/ttyACM0           ... on a board; on several at once with PORT="/dev/ttyACM0 /dev/ttyACM1"
#   make bench                            the benchmarks (BOARD and BINARY as above)
#   make soak MINUTES=60                  endurance (BOARD and BINARY as above)
#   make lint                             formatting, types, and that every device file compiles
#   make clean                            removes everything that make made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# With "=", because pytest takes a value that stands alone for a path to look for its configuration from.
target_options = $(if $(BOARD),--board=$(BOARD)) $(if $(BINARY),--binary=$(BINARY)) $(addprefix --port=,$(PORT))

# One process of tests for each core or port, with a board of its own. Files stay whole: a board is reset for each.
workers = $(if $(PORT),$(if $(word 2,$(PORT)),-n $(words $(PORT)) --dist loadfile),-n auto --dist loadfile)

.PHONY: run test bench soak lint clean
.DELETE_ON_ERROR:

run: $(VENV)/.run
	@$(BIN)/python -m mpos_host.cli.demo $(ARGS)

test: $(VENV)/.test
	@$(BIN)/python -m pytest $(workers) $(target_options) $(ARGS)

bench: $(VENV)/.bench
	@$(BIN)/python bench/run.py $(target_options) $(ARGS)

soak: $(VENV)/.test
	@PYTHONPATH=tests $(BIN)/python -m soak.soak --minutes=$(or $(MINUTES),10) $(target_options) $(ARGS)

lint: $(VENV)/.lint
	@$(BIN)/python -m mpos_host.checks.lint

clean:
	rm -rf $(VENV) build typings .pytest_cache .ruff_cache .hypothesis host/*.egg-info *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("PYTHON=$(PYTHON) is older than Python 3.10: set PYTHON to a newer one" if sys.version_info < (3, 10) else 0)'
	@echo "Setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)

# One stamp per set of packages: make run need not wait for the packages of make lint.
$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.run

$(VENV)/.bench: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[bench]'
	@touch $@ $(VENV)/.run

$(VENV)/.lint: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[lint,test]'
	@touch $@ $(VENV)/.run $(VENV)/.test
