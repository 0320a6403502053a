# salesops: `make report` and `make test` need Python 3.11 or later and make, nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
VENV := .venv
PY := $(VENV)/bin/python
BOOK ?= data/sample
LANGS ?= zh,en
REPORTS ?= performance conversion funnel collection
ARGS ?=
# Hundreds of processes import the same libraries: without files of bytecode each compiles them anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help report test book example mutants glossary lab bench soak validate lock clean system static

help:  ## Say what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

$(VENV)/.stamp: requirements.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or later is needed; none was found." \
		"Install one, or name it: make report PYTHON=/path/to/python3.12"; exit 1; fi
	@echo "Building $(VENV) with $(PYTHON) (once)"
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@# uv installs the lock in seconds; where it can't reach a mirror that pip knows of, pip does it.
	@awk '/^uv==/ {p = 1} p && /^[a-z]/ && !/^uv==/ {exit} p' requirements.lock > $(VENV)/uv.txt
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@$(VENV)/bin/uv pip install -q --python $(PY) --require-hashes -r requirements.lock \
		|| $(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

report: $(VENV)/.stamp  ## Make the reports over data/sample (BOOK=, LANGS=, REPORTS=, ALL=1)
	@$(PY) -m salesops run $(if $(ALL),,$(REPORTS)) --book "$(BOOK)" --lang "$(LANGS)" $(ARGS)

test: $(VENV)/.stamp system static  ## Check style, types, layers, tests and notebooks
	@# Two workers that each thread over both cores wait for each other: one thread each. Books are
	@# opened and analyses asked once for all of them, as in a run. Files go in their order: the many
	@# short ones come last, so that no worker is left alone with a long one.
	@asked=$$(mktemp -d); trap 'rm -rf "$$asked"' EXIT; \
		export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 SALESOPS_OPENED="$$asked" SALESOPS_SHARED="$$asked"; \
		$(PY) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

static: $(VENV)/.stamp
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check -q . && $(VENV)/bin/mypy && $(VENV)/bin/lint-imports

# Chromium, PDF tools and PostgreSQL come from the system; without the right to install them the
# tests that need them are listed as not run.
system:
	@missing=""; command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$$missing chromium"; \
	command -v pdftotext >/dev/null || missing="$$missing poppler-utils"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$$missing postgresql"; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
		else echo "Not installed:$$missing. The tests that need them will be listed as not run."; \
			echo "To install: sudo apt-get install --no-install-recommends$$missing"; fi; fi

example: $(VENV)/.stamp system  ## Make reports/example and the pictures of docs/images (ARGS=report)
	@$(PY) -m tools.example $(ARGS)

mutants: $(VENV)/.stamp  ## Break each metric on purpose: a test has to notice (ARGS=words)
	@$(PY) -m tools.mutants $(ARGS)

book: $(VENV)/.stamp  ## Publish the playbook as pages, into build/book (ARGS="--out FOLDER")
	@$(PY) -m tools.book $(ARGS)

glossary: $(VENV)/.stamp  ## Write the dictionary of metrics anew, into docs/metrics.md
	@$(PY) -m salesops metrics --format md > docs/.metrics.md && mv docs/.metrics.md docs/metrics.md

lab: $(VENV)/.stamp  ## Open the notebooks in JupyterLab
	@$(PY) -m salesops lab

bench: $(VENV)/.stamp  ## Measure speed, into docs/bench*.md (PART=factory ARGS=)
	@$(PY) -m pip install -q --disable-pip-version-check "b2b-revenue-forecasting>=0.46"
	@for part in $(or $(PART),funnel targets stall imports factory); do \
		$(PY) -m benchmarks.$$part $(if $(PART),$(ARGS)); done

soak: $(VENV)/.stamp system  ## Kill and starve runs at random moments; open our files in LibreOffice (ARGS=)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m soak $(ARGS)
	@$(PY) -m soak.office

validate: $(VENV)/.stamp  ## Measure statistical claims over many seeds, into docs/validation.md
	@$(PY) -m validation $(if $(PART),--part $(PART)) $(ARGS)

lock: $(VENV)/.stamp  ## Resolve requirements.lock and environment.yml anew
	@$(PY) -m pip install -q uv
	@$(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header --no-emit-index-url \
		--python-version 3.11 --extra test pyproject.toml -o requirements.lock $(ARGS)
	@$(PY) tools/environment.py

clean:  ## Remove what was built, not what you wrote
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
