# Everything starts from a fresh Debian 12 with git, make and python3, as root or with sudo.

PYTHON  ?= python3
CONNECT ?= test:///default
ARGS    ?=

VENV      := .venv
PY        := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
LOCKS     := setup/requirements-build.txt setup/requirements-dev.txt
PIP       := $(PY) -m pip --disable-pip-version-check
CODE      := onggi specs reconciler api tests examples bench docs web

# A connection that needs a libvirtd gets one for as long as the command runs.
IS_QEMU := $(filter qemu:%,$(CONNECT))
ON_HOST := $(if $(IS_QEMU),setup/hypervisor.sh run)

.DEFAULT_GOAL := help
.PHONY: help install install-run install-guest install-test web demo test coverage fuzz fuzz-roles lint format bench lock docs docs-check clean

help:  ## Show this
	@echo "onggi: YAML documents in git become virtual machines. What you can make:"
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16
	@echo "CONNECT=qemu:///system shows the demo with a real guest; ARGS='-k name' goes to pytest or to the benchmark."

install: install-run $(INSTALLED)  ## Install what onggi needs, and onggi itself into .venv
	@$(PY) web/build.py || echo "onggi runs, but without its pages: \`make web\` builds them where npm reaches a registry" >&2

install-run:
	@setup/install.sh run

install-guest:
	@setup/install.sh run guest

install-test:
	@setup/install.sh run guest test

# The order-only packages come first: the binding of libvirt is compiled.
$(INSTALLED): pyproject.toml $(LOCKS) | install-run
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "onggi needs Python 3.11 or newer: make PYTHON=python3.11")'
	@echo "Installing onggi and its Python packages into $(VENV) (a minute the first time)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet --require-hashes --requirement setup/requirements-build.txt < /dev/null
	@$(PIP) install --quiet --require-hashes --no-build-isolation --requirement setup/requirements-dev.txt < /dev/null
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable . < /dev/null
	@touch $@

# Quick when nothing of it changed; packages are fetched once for each lock file.
web: $(INSTALLED)  ## Build what browsers load
	@$(PY) web/build.py

demo: $(if $(IS_QEMU),install-guest) install  ## Tell the story in the terminal (CONNECT=test:///default)
	$(ON_HOST) $(PY) examples/demo.py $(CONNECT) < /dev/null

# Tests on the machine's own libvirtd run one after another and mostly wait; two more workers have two processors to do
# with: see tests/lab/beside_each_other.py.
# tini reaps at once what daemons leave, such as each QEMU of libvirtd: whoever ends a machine waits for that, and the first
# process of a container may take seconds.
test: install-test lint web  ## Check and test everything
	tini -s -- $(PY) -m pytest -n 3 --dist loadfile $(ARGS) < /dev/null

slowest: override ARGS += --durations=20
slowest: test  ## The same, and list the 20 tests that took longest

# They need no libvirtd, so nothing but onggi itself is installed.
coverage: $(INSTALLED)  ## Show which branches of planning its own tests go through, and fail below what pyproject.toml says
	$(PY) -m coverage run -m pytest -q tests/planning $(ARGS) < /dev/null
	$(PY) -m coverage report

fuzz: $(INSTALLED)  ## Write what nobody would, for five minutes (ARGS='--seconds 3600 --seed 1')
	$(PY) -m tests.fuzz $(ARGS) < /dev/null

fuzz-roles: $(INSTALLED)  ## Ask what nobody would, 100,000 times by everybody (ARGS='--requests 1000 --who user')
	$(PY) -m tests.fuzz.roles $(ARGS) < /dev/null

lint: $(INSTALLED)  ## Check style, types and who imports whom
	$(PY) -m ruff check $(CODE)
	$(PY) -m ruff format --check $(CODE)
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

format: $(INSTALLED)  ## Put the code into its format
	$(PY) -m ruff check --fix $(CODE)
	$(PY) -m ruff format $(CODE)

bench: install-test $(INSTALLED)  ## Measure against other tools, on qemu:///system
	setup/hypervisor.sh run $(PY) -m bench $(ARGS) < /dev/null

# All hashes of each release: wheels for any processor, and the sources. Where they come from is the installer's business.
LOCK := $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	--no-annotate --upgrade
lock: $(INSTALLED)  ## Lock the packages anew: Python's at their newest releases, the browser's at those of web/package.json
	$(PIP) install --quiet '.[lock]' < /dev/null
	$(LOCK) pyproject.toml --extra dev --output-file setup/requirements-dev.txt
	$(LOCK) pyproject.toml --constraint setup/requirements-dev.txt --output-file setup/requirements.txt
	$(LOCK) setup/requirements-build.in --constraint setup/requirements-dev.txt --output-file setup/requirements-build.txt
	$(PY) web/build.py --lock

docs: $(INSTALLED)  ## Write the generated pages anew
	$(PY) docs/generate.py

docs-check: $(INSTALLED)  ## Check that the documentation is true
	$(PY) -m pytest tests/test_docs.py tests/test_examples.py $(ARGS) < /dev/null

clean:  ## Remove everything that was made here, .venv and caches included
	rm -rf $(VENV) .cache api/assets/built .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
