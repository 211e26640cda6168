# Everything a contributor does, one word each. `make setup` is run by the others when it is due.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup run dev test test-all check golden bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name it with: make setup PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv || \
	  { echo "no virtual environment could be made; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

run: $(STAMP)  ## the demonstration: a workflow from file to result
	$(BIN)/python -m workflows.demo

dev: $(STAMP)  ## the development server with hot reload
	$(BIN)/lockstep dev

test: $(STAMP)  ## the fast tests
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

test-all: $(STAMP)
	$(BIN)/python -m pytest -q -n 2

check: $(STAMP)  ## what needs no running
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

golden: $(STAMP)  ## rewrite the recorded outputs; review the diff
	$(BIN)/python -m pytest -q tests --rewrite-golden -m "not slow" -k golden

bench: $(STAMP)
	$(BIN)/python -m benchmarks

clean:  ## what can be made again; the environment and stored instances stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find engine tests benchmarks workflows -name __pycache__ -type d -prune -exec rm -rf {} +
