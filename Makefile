# Two commands do all the set-up on a fresh machine: `make table3` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
CORES ?= all

PIP := $(BIN)/python -m pip install --disable-pip-version-check -q
UV ?= uv
# What was installed, by what these files say, not by their times.
PINS := pyproject.toml requirements.lock requirements-torch.txt
INSTALLED := .venv/.installed-$(shell cat $(PINS) | cksum | tr ' ' -)

.PHONY: table3 test test-full test-slurm check docs setup lint lock

table3: setup  ## install, then Table 3 of the default world
	$(BIN)/snakemake --cores $(CORES) results/table3.csv

test: setup lint  ## install, then every check; those on Slurm where it is installed
	$(BIN)/pytest -n 2 -m "not slow"
	$(BIN)/pytest -n 2 --dist loadfile -m slow

test-full: setup  ## the paper's world at its full size, on made-up weights: hours
	$(BIN)/pytest -s tests/full/full_size.py

check: setup lint  ## the quick part
	$(BIN)/pytest -n 2 -m "not slow"

docs: setup  ## the site, in docs/_build
	$(BIN)/sphinx-build -q -W --keep-going docs docs/_build
	@echo "open docs/_build/index.html in a browser"

test-slurm: setup  ## on a Slurm of its own, on this machine: root, Debian
	tests/slurm/install
	TWINLENS_SLURM=1 $(BIN)/pytest -m slurm

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

setup: $(INSTALLED)  ## only install

$(INSTALLED):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "twinlens needs Python 3.11 or newer; run: make PYTHON=python3.12 ...")'
	@echo "installing packages into .venv: a minute or two"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --require-hashes --no-deps -r requirements.lock
	$(PIP) -r requirements-torch.txt
	$(PIP) --no-deps -e .
	$(BIN)/twinlens doctor --installed
	rm -f .venv/.installed*
	touch $@
	@echo "installed; next: make table3, or $(BIN)/snakemake --cores all results/table3.csv"

lock:  ## pin what pyproject.toml asks for; UPGRADE=--upgrade takes the newest
	$(UV) pip compile pyproject.toml --extra workflow --extra export --extra dev -c requirements-torch.txt \
	  --universal --python-version 3.11 --generate-hashes --no-emit-package torch $(UPGRADE) \
	  --custom-compile-command 'make lock' --quiet -o requirements.lock
	$(PYTHON) envs/derive.py > envs/twinlens.yaml.new
	mv envs/twinlens.yaml.new envs/twinlens.yaml
