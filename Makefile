# `make` alone lists what there is. Needs GNU make, git, and Python 3.11 or later with venv and pip.

# The interpreter from which .venv is made.
PYTHON ?= python3
# What else is said to pytest: make test PYTEST_ARGS='-k shelf'
PYTEST_ARGS ?=
# How often the benchmark runs each command.
ROUNDS ?= 15
# Tests run side by side; a core that is done takes over from one that is not.
PYTEST := .venv/bin/pytest
# One more than there are cores: many tests wait for a disk.
PARALLEL := -n $$(($$(nproc) + 1)) --maxprocesses 8 --dist worksteal

# Where CAPSULESTORE_CI is set, a test that is skipped for want of a component fails.
ifneq ($(CAPSULESTORE_CI),)
PYTEST := .venv/bin/python .ci/no_skips.py
endif

# Where it is set, each of the thousands of processes that the tests start would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

PIP := .venv/bin/python -m pip --disable-pip-version-check install --quiet

# The message after a command that failed, and what to do about it.
define fail
{ printf '\nmake: %s\n' '$(strip $(1))' >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-fast check lint readme help-text man benchmark clean

help:
	@echo 'make demo       an analysis, its capsule, a changed package, and back: in .demo/'
	@echo 'make test       all the tests'
	@echo 'make test-fast  those that take no large environment'
	@echo 'make check      what CI runs: format, lint, types, imports, all the tests'
	@echo 'make lint       the same without the tests'
	@echo 'make readme     write what its commands print now into README.md'
	@echo 'make help-text  write what the help is now into tests/cli/help.txt'
	@echo 'make man        write the manual pages, docs/man, from the help'
	@echo 'make benchmark  measure, beside other tools, and write docs/performance.md: in .benchmarks/'
	@echo 'make clean      remove what these have made, .venv too'
	@echo
	@echo 'Each sets up what it needs in .venv. Another interpreter: make demo PYTHON=python3.12'

demo: .venv/.installed
	@.venv/bin/python examples/demo.py

test: .venv/.installed-for-tests
	$(PYTEST) $(PARALLEL) $(PYTEST_ARGS)

test-fast: .venv/.installed-for-tests
	$(PYTEST) $(PARALLEL) -m 'not slow' $(PYTEST_ARGS)

lint: .venv/.installed-for-checks .types/capsulestore_cli
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

check: lint test

readme: .venv/.installed-for-tests
	UPDATE_README=1 .venv/bin/pytest tests/test_readme.py

help-text: .venv/.installed-for-tests
	UPDATE_HELP=1 .venv/bin/pytest tests/cli/test_help.py

man: .venv/.installed
	.venv/bin/python -m capsulestore_cli.manual docs/man

benchmark: .venv/.made
	@.venv/bin/python -m benchmarks --rounds $(ROUNDS)

clean:
	rm -rf .venv .types .demo .benchmarks build dist capsulestore.egg-info
	rm -rf .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Setting up: each of these is done again only after pyproject.toml has changed.

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || $(call fail,\
	`$(PYTHON)` is not Python 3.11 or later. Name one that is: make PYTHON=/path/to/python3.11)
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv || $(call fail,\
	no virtual environment could be made. On Debian and Ubuntu: apt-get install python3-venv)
	@touch $@

.venv/.installed: .venv/.made pyproject.toml
	@echo 'Setting up .venv: capsulestore and what it needs'
	@$(PIP) --editable . || $(call fail,$(pip_failed))
	@touch $@

.venv/.installed-for-tests: .venv/.made pyproject.toml
	@echo 'Setting up .venv: what the tests need'
	@$(PIP) --editable '.[test]' || $(call fail,$(pip_failed))
	@touch $@ .venv/.installed

.venv/.installed-for-checks: .venv/.made pyproject.toml
	@echo 'Setting up .venv: what the checks need'
	@$(PIP) --editable '.[test,check]' || $(call fail,$(pip_failed))
	@touch $@ .venv/.installed .venv/.installed-for-tests

pip_failed := pip could not install what is needed (see above). It takes a package index: set one with PIP_INDEX_URL \
or in pip.conf where the default one cannot be reached, then run make again.

# So that mypy finds the folder cli/ under the name by which it is installed.
.types/capsulestore_cli:
	@mkdir -p .types
	@ln -s ../cli $@
