# `make demo` and `make test` set up all they need on Debian or Ubuntu; after that they install nothing again.
SHELL := /bin/bash
BIN := .venv/bin
READY := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-pythons lint test-wheel test-ray fuzz golden test-java apk apk-screens clean test-arm64 bench-arm64 bench-busy test-web web

help: ## show this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## create .venv and install all that demo and test need (they do it themselves)

$(READY): pyproject.toml scripts/apt-packages.txt
	@scripts/setup.sh

demo: $(READY) ## render words, distil a small chain, export it, identify the samples, benchmark: 4 to 7 minutes
	@scripts/demo.sh

lint: $(READY) ## ruff's rules and layout, and mypy: the packages as --strict, tests with its defaults
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## lint, then all tests
	$(BIN)/pytest

test-fast: $(READY) ## the tests that together take under 2 minutes on two cores: none that is slow, trains or exports
	$(BIN)/pytest -m "not slow and not heavy"

test-pythons: $(READY) ## the wheel, as test-wheel does, on each of Python 3.11, 3.12 and 3.13 that is here
	@scripts/test-pythons.sh

test-wheel: $(READY) ## the wheel by itself: installed off line without torch, and tested (PYTHON=python3.13: in that one)
	@sdk/test-wheel.sh $(PYTHON)

test-ray: $(READY) ## the example for millions of files, with Ray in a virtual environment of its own
	@sdk/test-ray.sh

fuzz: $(READY) ## 100,000 damaged images and model files: no crash, no error but the SDK's own, none over a second, no unwritten memory
	@$(BIN)/python -c "import atheris" 2>/dev/null || $(BIN)/pip install --quiet "atheris>=3.0"
	$(BIN)/python tests/fuzz/fuzz.py images build/fuzz/images -runs=100000 -max_len=4096 -close_fd_mask=2
	$(BIN)/python tests/fuzz/fuzz.py twice build/fuzz/twice -runs=100000 -max_len=4096 -close_fd_mask=2
	$(BIN)/python tests/fuzz/fuzz.py models build/fuzz/models -runs=100000 -max_len=4096 -close_fd_mask=2

golden: $(READY) ## checksums, the golden float32 model and all expected answers anew, after a bundled model changed
	@cd sdk/scriptkd_sdk/models && sha256sum *.onnx > SHA256SUMS
	$(BIN)/python tests/contract/generate.py

test-java: ## the Java SDK for Java 8: compile it, run its tests and the golden vectors on this machine's JVM
	@sdk/java/test.sh

apk: ## the Android demo: build, align, sign and check build/android/scriptkd-demo.apk
	@android-demo/build.sh

apk-screens: ## run the Android demo's screens on this machine's JVM and draw them to build/android/screens
	@android-demo/screens/test.sh

test-arm64: $(READY) ## the Python SDK's golden tests on emulated AArch64, cortex-a53 and cortex-a76
	@scripts/arm64/test.sh

bench-arm64: $(READY) ## AArch64 instructions per image, of the networks and of MODELS="FILE ..." (benchmarks/arm64.md)
	@scripts/arm64/build-qemu.sh
	@scripts/arm64/prepare.sh
	$(BIN)/python scripts/arm64/bench.py $(MODELS)

bench-busy: $(READY) ## each command quiet and beside one busy process, on two cores (DEMO=1: make demo instead)
	@$(BIN)/python scripts/busy.py $(if $(DEMO),--demo)

test-web: ## the web SDK's golden vectors and a person's path through the page, in headless Chromium
	@sdk/web/test.sh

web: ## put the page together in build/web, and say what a visitor downloads
	@cd sdk/web && npm ci --silent --ignore-scripts --omit=dev && node build.mjs

clean: ## delete build/, with the data sets, training runs and fonts in it, and caches; not .venv
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find sdk train export benchmarks tests -name __pycache__ -prune -exec rm -rf {} +
