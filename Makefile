# The contributor's whole vocabulary. `make run` and `make test` need Python >= 3.10 and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := runs/gridworld

PLAIN := build/without-compiler
BASELINES := packages/torchvin-baselines
INSTALL := $(BIN)/python -m pip install -q -c constraints.txt
# One test file is one piece of work: its fixtures are made once.
WORKERS ?= logical
PYTEST := -m pytest -q -n $(WORKERS) --dist loadfile

.PHONY: help run test test-without-compiler test-sanitizers setup lint types docs mutants slow gpu wheel clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 25

run: $(VENV)/.installed ## install, learn to plan on 16x16 maps, score on fresh maps, draw the figures
	$(BIN)/python examples/gridworld.py --out $(RUN)

test: $(VENV)/.developed ## install, then lint, types and the default tests (under 5 minutes)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python $(PYTEST)
	$(BIN)/python $(PYTEST) --jaxtyping-packages= -m "without_type_hook and not slow" tests

test-without-compiler: $(VENV)/.developed ## install where no compiler works, then the planning tests on the reference
	rm -rf $(PLAIN) && $(PYTHON) -m venv $(PLAIN)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> "$$($(PLAIN)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/shared.pth"
	CXX=/nonexistent/c++ CC=/nonexistent/cc $(PLAIN)/bin/python -m pip install -q --no-deps . ./$(BASELINES)
	cd $(PLAIN) && bin/python -W "error" -W "default:torchvin was installed without:UserWarning" \
		-c 'import torch, torchvin; torchvin.value_iteration(torch.zeros(1, 2, 3, 3), torch.zeros(2, 1, 3, 3), num_iterations=1)' \
		2>&1 | grep "torchvin was installed without its compiled kernel"
	$(PLAIN)/bin/python $(PYTEST) tests/planning tests/policies -W "ignore:torchvin was installed without:UserWarning"

test-sanitizers: $(VENV)/.developed ## the C++ tests under the address and undefined-behaviour sanitizers
	$(BIN)/python $(PYTEST) --dist load -m sanitizers tests

mutants: $(VENV)/.developed ## break the code in every listed way and see a test fail
	$(BIN)/python tests/mutants/run.py

slow: $(VENV)/.developed ## the tests that train, or take long for another reason
	$(BIN)/python $(PYTEST) --jaxtyping-packages= -m slow tests

gpu: $(VENV)/.developed ## on a CUDA device: its tests, those of the Triton kernels, and benchmarks/results/gpu.md
	$(BIN)/python -m pytest -q --jaxtyping-packages= -m "not sanitizers" tests/test_gpu.py \
		tests/planning/kernels/test_triton.py
	$(BIN)/torchvin bench gpu --out benchmarks/results
	$(BIN)/torchvin train --preset gridworld-28 --device cuda --out "$$(mktemp -d)/gridworld-28"

setup: $(VENV)/.developed ## install for development

lint: $(VENV)/.developed ## correct formatting and what ruff can correct
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

types: $(VENV)/.developed ## check types
	$(BIN)/mypy

docs: $(VENV)/.developed ## build the documentation into site/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

wheel: $(VENV)/bin/python ## build the wheels of both distributions into dist/
	$(BIN)/python -m pip wheel -q --no-deps -w dist . ./$(BASELINES)

clean: ## remove what the other targets made
	rm -rf $(VENV) runs site build dist .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt $(BASELINES)/pyproject.toml
	$(INSTALL) -e . -e $(BASELINES)
	touch $@

$(VENV)/.developed: $(VENV)/bin/python pyproject.toml constraints.txt $(BASELINES)/pyproject.toml
	$(INSTALL) -e '.[dev]' -e $(BASELINES)
	touch $(VENV)/.installed $@
