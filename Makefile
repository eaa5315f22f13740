PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# One more than there are cores: many tests wait for processes and shops.
ABREAST := --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist worksteal
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header pyproject.toml
ALL := --extra serve --extra sandbox --extra report --extra challenger --extra otel --extra docs --extra dev
# pyspark is 430 MB: what is locked for it stands apart, and only `make spark` installs it.
SPARK := $(VENV)-spark
ON_SPARK := --extra spark --constraint requirements.lock

.PHONY: install demo test thorough spark spark-full reliability reliability-selftest check check-module docs audit sbom bench lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@# setuptools warns of any editable install, at length
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

install: $(STAMP)  ## everything into .venv, with the hashes of requirements.lock

demo: $(STAMP)  ## set up, then the main job on two practice shops
	@$(BIN)/python sync.py demo

# Where a container forbids bytecode, every run would compile every file and rewrite its asserts.
# The cores have enough to do without threads of their own for sums.
test: $(STAMP)  ## set up, then all tests
	PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest $(ABREAST)

thorough: $(STAMP)  ## the tests that repeat what others show, many times over
	$(BIN)/python -m pytest -m thorough --numprocesses auto --dist worksteal

$(SPARK)/.installed: requirements.lock requirements-spark.lock pyproject.toml
	$(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/python -m pip install --quiet --require-hashes -r requirements.lock
	$(SPARK)/bin/python -m pip install --quiet --require-hashes -r requirements-spark.lock
	$(SPARK)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(SPARK)/.installed

spark: $(SPARK)/.installed  ## the stores' tests on a Spark cluster on loopback; needs Java 17 or 21
	$(SPARK)/bin/python -m pytest tests/spark tests/store

spark-full: $(SPARK)/.installed  ## ten million orders on both, a worker killed: the same? (6 GB of disk)
	SPARK_ORDERS=10000000 $(SPARK)/bin/python -m pytest -m thorough -s tests/spark/test_spark_at_scale.py

reliability: $(STAMP)  ## the 43 numbered checks at their full figures, as a table (within half an hour)
	RELIABILITY=full $(BIN)/python -m pytest tests/reliability --numprocesses auto --dist worksteal

reliability-selftest: $(STAMP)  ## each of them has to fail on a bug that is planted for it
	$(BIN)/python tests/reliability/selftest.py

check: $(STAMP) check-module audit docs  ## style, types, links, known vulnerabilities, the lock in step
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@cp requirements.lock $(VENV)/locked
	$(COMPILE) $(ALL) --output-file $(VENV)/locked
	diff -u requirements.lock $(VENV)/locked

docs: $(STAMP)  ## the pages as a site in build/docs; a broken link or anchor fails
	$(BIN)/python -m sphinx -q -W --keep-going -n -E -c docs -b html . build/docs
	@echo "build/docs/docs/index.html"

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
	$(BIN)/python benchmarks/write_back.py
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
	$(COMPILE) $(ALL) --output-file requirements.lock
	$(COMPILE) $(ON_SPARK) --output-file requirements-spark.lock
