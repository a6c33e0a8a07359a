# Everything a newcomer needs; `make help` lists it.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 10

demo: setup ## the main job, live on the course network; replayed where there is no root or engine
	@.ci/demo $(BIN)/dnetsniff

test: tools setup ## every test, the live ones included; each of two processes has an engine of its own
	$(BIN)/python -m pytest $(if $(DOCKER_HOST),,-n 2 --dist loadfile)

fuzz: tools setup ## strangers' bytes and texts for MINUTES=10, from another SEED each round
	nice -n 19 $(BIN)/python tests/support/fuzz.py $(or $(MINUTES),10) $(SEED)

lint: setup ## linters, types, the direction of imports, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell README.md CONTRIBUTING.md CHANGELOG.md docs inspector tests

bench: tools setup ## the figures, as ratios against by-hand, tcpdump and others, into docs/performance.md (8 minutes)
	$(BIN)/python tests/bench/report.py

docs: setup ## write docs/cli.md from --help, docs/findings from the problem library, docs/course.md from the lessons
	$(BIN)/python tests/support/cli_page.py > docs/cli.md
	$(BIN)/python tests/support/finding_pages.py
	$(BIN)/python tests/support/course_page.py
	$(BIN)/python tests/support/recording_page.py

faults: setup ## break everything in every phase, on engines of its own, and write docs/reliability.md (MINUTES=20: as much as fits)
	$(BIN)/python tests/support/fault_page.py $(MINUTES)

screens: setup ## record what a user sees of each finding, by the live tests; then `make docs`
	rm -rf docs/findings/screens
	-DNETSNIFF_SCREENS=1 $(BIN)/python -m pytest -q tests/docker  # each asks twice: a test that counts questions fails

setup: system $(STAMP) ## virtual environment, packages, engine

system:
	@.ci/setup

tools:
	@.ci/setup tests

$(STAMP): pyproject.toml
	@.ci/venv $(VENV)
	@touch $(STAMP)

clean: ## remove the virtual environment and the caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

worlds: setup ## record the worlds of the tests anew on the live engine
	$(BIN)/python tests/support/with_upstream.py $(BIN)/python tests/support/record_worlds.py

samples: setup ## record the course anew, on an engine of this machine's own and on ENGINES="unix:///... ..."
	$(BIN)/python tests/support/record_samples.py $(ENGINES)

reports: setup ## write anew what the kept recordings say, after a change of words: samples and worlds
	$(BIN)/python tests/support/write_reports.py

.PHONY: help demo test fuzz lint bench docs faults screens worlds samples reports setup system tools clean
