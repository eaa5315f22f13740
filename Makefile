PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	--generate-hashes --no-header pyproject.toml

.PHONY: demo test check bench lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP)  ## set up, then the main job on two practice shops
	@$(BIN)/python sync.py demo

test: $(STAMP)  ## set up, then all tests
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

check: $(STAMP)  ## style, types, and the lock file in step with pyproject.toml
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@cp requirements.lock $(VENV)/locked
	$(COMPILE) --output-file $(VENV)/locked
	diff -u requirements.lock $(VENV)/locked

bench: $(STAMP)  ## what the stages cost, and how good the forecasts are
	$(BIN)/python benchmarks/store.py
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/scores.py
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/choice.py --all
	$(BIN)/python benchmarks/seasonal.py
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/recovery.py

lock: $(STAMP)  ## after a change of the dependencies
	$(COMPILE) --output-file requirements.lock
