PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	--generate-hashes --no-header pyproject.toml

.PHONY: demo test thorough reliability reliability-selftest check check-module audit sbom bench lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP)  ## set up, then the main job on two practice shops
	@$(BIN)/python sync.py demo

test: $(STAMP)  ## set up, then all tests
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

thorough: $(STAMP)  ## the tests that repeat what others show, many times over
	$(BIN)/python -m pytest -m thorough --numprocesses auto --dist worksteal

reliability: $(STAMP)  ## the 43 numbered checks at their full figures, as a table (within half an hour)
	RELIABILITY=full $(BIN)/python -m pytest tests/reliability --numprocesses auto --dist worksteal

reliability-selftest: $(STAMP)  ## each of them has to fail on a bug that is planted for it
	$(BIN)/python tests/reliability/selftest.py

check: $(STAMP) check-module audit  ## style, types, known vulnerabilities, the lock file in step
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@cp requirements.lock $(VENV)/locked
	$(COMPILE) --output-file $(VENV)/locked
	diff -u requirements.lock $(VENV)/locked

audit: $(STAMP)  ## known vulnerabilities in the locked packages, where the data can be reached
	$(BIN)/python .ci/audit.py

sbom: $(STAMP)  ## the software bill of materials, CycloneDX, into sbom.json
	$(BIN)/python .ci/sbom.py > sbom.json
	@echo "sbom.json: what requirements.lock pins, with its hashes"

check-module:  ## the Magento module's PHP, where there is PHP (its tests are among `make test`)
ifeq ($(shell command -v php),)
	@echo "PHP is not installed: the code of magento-module/ goes unchecked"
else
	@find magento-module \( -name '*.php' -o -name '*.phtml' \) -print0 | xargs -0 -n 1 php -l >/dev/null
endif
ifeq ($(shell command -v phpcs),)
	@echo "PHP_CodeSniffer is not installed: the style of magento-module/ goes unchecked"
else
	cd magento-module && phpcs -q
endif

bench: $(STAMP)  ## what the stages cost, and how good the forecasts are
	$(BIN)/python benchmarks/magento.py
	$(BIN)/python benchmarks/store.py
	$(BIN)/python benchmarks/store_scores.py
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/scores.py
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/choice.py --all
	$(BIN)/python benchmarks/seasonal.py
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/recovery.py
	$(BIN)/python benchmarks/calibrated.py 1
	$(BIN)/python benchmarks/shopify.py
	$(BIN)/python benchmarks/report.py
	$(BIN)/python benchmarks/webhooks.py

lock: $(STAMP)  ## after a change of the dependencies
	$(COMPILE) --output-file requirements.lock
