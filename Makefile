# The contributor's whole vocabulary. `make run` and `make test` need Python >= 3.10 and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := runs/gridworld

PLAIN := build/without-compiler

.PHONY: help run test test-without-compiler setup lint types docs slow clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.installed ## install, learn to plan on 16x16 maps, score on fresh maps, draw the figures
	$(BIN)/python examples/gridworld.py --out $(RUN)

test: $(VENV)/.developed ## install, then lint, types and the default tests (under 5 minutes)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q

test-without-compiler: $(VENV)/.developed ## install where no compiler works, then the planning tests on the reference
	rm -rf $(PLAIN) && $(PYTHON) -m venv $(PLAIN)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> "$$($(PLAIN)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/shared.pth"
	CXX=/nonexistent/c++ CC=/nonexistent/cc $(PLAIN)/bin/python -m pip install -q --no-deps .
	cd $(PLAIN) && bin/python -W "error" -W "default:torchvin was installed without:UserWarning" \
		-c 'import torch, torchvin; torchvin.value_iteration(torch.zeros(1, 2, 3, 3), torch.zeros(2, 1, 3, 3), num_iterations=1)' \
		2>&1 | grep "torchvin was installed without its compiled kernel"
	$(PLAIN)/bin/python -m pytest -q tests/planning tests/policies -W "ignore:torchvin was installed without:UserWarning"

setup: $(VENV)/.developed ## install for development

lint: $(VENV)/.developed ## mend formatting and what ruff can mend
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

types: $(VENV)/.developed ## check types
	$(BIN)/mypy

slow: $(VENV)/.developed ## the tests that train for minutes
	$(BIN)/python -m pytest -q -m slow

docs: $(VENV)/.developed ## build the documentation into site/
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[docs]'
	$(BIN)/mkdocs build --strict

clean: ## remove what the other targets made
	rm -rf $(VENV) runs site .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	touch $@

$(VENV)/.developed: $(VENV)/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@
