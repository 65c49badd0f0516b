# Everything a newcomer needs: make run, make test. Needs python3, pip and make only.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements.lock
PORT ?= 8000
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
TOO_OLD = $(PYTHON) is no Python 3.11 or newer. If there is one: make $(firstword $(MAKECMDGOALS)) PYTHON=python3.12
# Debian and its kin leave venv out of python3; pip brings what does the same.
WITHOUT_VENV := { maker=$$(mktemp -d); rm -rf $(VENV); \
  $(PYTHON) -m pip install --quiet --disable-pip-version-check --target $$maker virtualenv && \
  PYTHONPATH=$$maker $(PYTHON) -m virtualenv --quiet $(VENV); made=$$?; rm -rf $$maker; \
  test $$made = 0 || { echo "No environment can be made: install python3-venv" >&2; exit 1; }; }
export PORT

.PHONY: run test lint types bench lock wheel e2e setup clean

setup: $(VENV)/.ready

# uv when pip can bring it (seconds), else pip alone with the same hashed lock (a minute).
$(VENV)/.ready: $(LOCK) pyproject.toml configurator/build_assets.py $(shell find configurator/translations -name '*.po' 2>/dev/null)
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "$(TOO_OLD)" >&2; exit 1; }
	@$(BIN)/python -c 'import pip; $(NEW_ENOUGH)' 2>/dev/null || { rm -rf $(VENV); \
	  $(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || $(WITHOUT_VENV); }
	@$(BIN)/python -m uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv \
	  || echo "uv cannot be had; going on with pip (slower)"
	@if $(BIN)/python -m uv --version >/dev/null 2>&1; then \
	  $(BIN)/python -m uv pip install --quiet --python $(BIN)/python --require-hashes -r $(LOCK) && \
	  $(BIN)/python -m uv pip install --quiet --python $(BIN)/python --no-deps --reinstall-package product-configurator -e . ; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	fi
	@touch $@

run: setup
	@$(BIN)/configurator serve

test: setup
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests

e2e: setup
	@$(BIN)/python -m pytest -m browser tests

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup
	@$(BIN)/mypy

bench: setup
	@$(BIN)/python -m benchmarks

lock:
	@$(PYTHON) -m uv --version >/dev/null 2>&1 || $(PYTHON) -m pip install --quiet uv
	$(PYTHON) -m uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	  --all-extras --group dev --no-header --no-annotate pyproject.toml -o $(LOCK)

wheel: setup
	@$(BIN)/python -m uv build --wheel --out-dir dist . 2>/dev/null || $(BIN)/python -m pip wheel --no-deps -w dist .

clean:
	rm -rf $(VENV) dist build var
