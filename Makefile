# Two commands do everything a newcomer needs: `make demo` and `make test`. Both make their own environment first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo test test-all check format bench bench-preferences bench-reinforcement bench-evaluation ladder methods imbalance docs install clean

demo: install ## all seven stages on the embedded model and the standard library's own functions
	$(BIN)/sevenfold run recipes/demo.yaml

# Tiny models gain nothing from threads: one process a core, one thread each.
test: install ## the fast suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

test-all: test ## the fast suite, and the proofs that take minutes and the whole machine
	$(BIN)/python -m pytest -m slow

check: install ## lint, types, import rules, docstrings, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: install ## rewrite the layout of every file
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install ## training speed and memory beside transformers with PEFT, TRL and LLaMA-Factory
	$(BIN)/python benchmarks/training.py

bench-preferences: install ## DPO beside TRL's, which needs 23 GB of memory
	$(BIN)/python benchmarks/preferences.py

bench-reinforcement: install ## GRPO beside TRL's
	$(BIN)/python benchmarks/reinforcement.py

bench-evaluation: install ## answers beside transformers' generate, scores beside lm-eval's own backend
	$(BIN)/python benchmarks/evaluation.py

ladder: install ## what each part of the engine brings, one at a time
	$(BIN)/python benchmarks/ladder.py

methods: install ## time, memory and size of every method beside full tuning, and papers' claims beside counts
	$(BIN)/python benchmarks/methods.py speed
	$(BIN)/python benchmarks/methods.py claims

imbalance: install ## ways against imbalance on one real set; goes on where it was stopped
	$(BIN)/python benchmarks/imbalance.py

docs: install ## the documentation, served while it is written
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean: ## everything that was made, the runs excepted
	rm -rf .venv site build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
