# Everything a newcomer needs: make run, make test. Needs python3, pip and make only.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements.lock
PORT ?= 8000
export PORT

.PHONY: run test lint types bench lock wheel e2e setup clean

setup: $(VENV)/.ready

# uv when pip can bring it (seconds), else pip alone with the same hashed lock (a minute).
$(VENV)/.ready: $(LOCK) pyproject.toml configurator/build_assets.py $(shell find configurator/translations -name '*.po' 2>/dev/null)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
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
