# Every target sets up what it needs: a virtual environment in .venv, then an install at the tested versions.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.run-installed
DEV_STAMP := $(VENV)/.dev-installed
BENCH_VENV := .venv-bench

# The main job. Without DATA it runs the built-in drill (演练).
DATA ?=
EVENT ?=
ISSUE ?=
OUT ?=
RUN_ARGS = $(if $(DATA),--data "$(DATA)",--drill) $(if $(EVENT),--event "$(EVENT)") \
	$(if $(ISSUE),--issue "$(ISSUE)") $(if $(OUT),--out "$(OUT)")

# uv where it is present, pip where it is not.
UV := $(shell command -v uv 2>/dev/null)
ifeq ($(UV),)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
else
INSTALL = "$(UV)" pip install --quiet --python $(BIN)/python
endif

.PHONY: run test lint bench bench-data bench-skill closed-loop serve clean

run: $(RUN_STAMP)
	@$(BIN)/yrd-airq run $(RUN_ARGS) || { code=$$?; \
	  if [ $$code -eq 3 ]; then echo "no plan meets every goal; the pack holds the least-violating one"; else exit $$code; fi; }

test: $(DEV_STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(DEV_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV_STAMP)
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.transport
	$(BIN)/python -m tests.bench.attribution
	$(BIN)/python -m tests.bench.control
	$(BIN)/python -m tests.bench.feature_cost
	$(BIN)/python -m tests.bench.forecast_weather

# What needs the real-data folder, named by YRD_AIRQ_REAL_DATA.
bench-data: $(DEV_STAMP)
	$(BIN)/python -m tests.bench.agreement
	$(BIN)/python -m tests.bench.quality_faults
	$(BIN)/python -m tests.bench.ingest
	$(BIN)/python -m tests.bench.plausibility_weather
	$(BIN)/python -m tests.bench.plausibility

# Our forecasts beside other people's packages, on the real stations; those packages have an environment of their own.
bench-skill: $(DEV_STAMP) $(BENCH_VENV)/.made
	BENCH_PYTHON="$(BENCH_VENV)/bin/python" $(BIN)/python -m tests.bench.skill

# Some thirty events of the drill, planned by the product and carried out in its true world (an hour or so).
closed-loop: $(DEV_STAMP)
	$(BIN)/python -m tests.bench.closed_loop

serve: $(RUN_STAMP)
	$(BIN)/yrd-airq serve

clean:
	rm -rf $(VENV) $(BENCH_VENV) data out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUN_STAMP): $(VENV)/.made pyproject.toml constraints.txt
	$(INSTALL) -c constraints.txt -e .
	@touch $@

$(DEV_STAMP): $(VENV)/.made pyproject.toml constraints.txt
	$(INSTALL) -c constraints.txt -e '.[dev]'
	@touch $@ $(RUN_STAMP)

$(BENCH_VENV)/.made: tests/bench/peers-requirements.txt
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
