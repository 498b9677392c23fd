PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501

.DEFAULT_GOAL := help
.PHONY: help run test check check-static kills bench demo-data screenshots lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Installed again only when the pinned versions change.
$(VENV)/.run: requirements.txt pyproject.toml
	@echo "Installing into $(VENV); the first time this takes a few minutes."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "Installing what the tests need."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

run: $(VENV)/.run ## install and open the app on the demo study
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: $(VENV)/.dev ## install and run every test, those in a browser included
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder -rR

check-static: $(VENV)/.dev ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: check-static ## the same and the quick tests
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder -m "not slow and not browser"

kills: $(VENV)/.dev ## kill the store 300 times in mid-write and look for anything lost
	PET2REP_KILLS=300 $(BIN)/python -m pytest --timeout=3600 tests/crash/test_kill.py tests/crash/test_study_kill.py

bench: $(VENV)/.dev ## print the benchmarks' ratios
	$(BIN)/python -m benchmarks.open_case
	$(BIN)/python -m benchmarks.score_texts
	$(BIN)/python -m benchmarks.agree_readers
	$(BIN)/python -m benchmarks.open_study
	$(BIN)/python -m benchmarks.serve_volumes
	$(BIN)/python -m benchmarks.scroll_viewer
	$(BIN)/python -m benchmarks.generate_remote
	$(BIN)/python -m benchmarks.generate_local
	$(BIN)/python -m benchmarks.rate_readers
	test -z "$$PET2REP_REAL_DATA" || $(BIN)/python -m benchmarks.import_study "$$PET2REP_REAL_DATA"

demo-data: $(VENV)/.run ## make the demo study without opening the app
	$(BIN)/pet2rep demo

screenshots: $(VENV)/.dev ## take the pictures of the README again
	$(BIN)/python -m tests.browser.screenshots docs/screenshots

lock: ## write requirements*.txt anew from pyproject.toml
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check .
	.venv-lock/bin/python -m pip freeze --exclude pet2rep-review | sed 's/+cpu$$//' > requirements.txt
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check '.[dask,dev]'
	.venv-lock/bin/python -m pip freeze --exclude pet2rep-review | sed 's/+cpu$$//' > requirements-dev.txt
	rm -rf .venv-lock build

clean: ## delete what can be made again (never the store)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build *.egg-info
