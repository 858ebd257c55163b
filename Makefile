# On Debian and Ubuntu, `make demo` and `make test` first install all that they need. Later runs install nothing.
SHELL := /bin/bash
BIN := .venv/bin
READY := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-pythons lint test-wheel test-ray test-ocrmypdf fuzz golden test-java apk apk-screens clean test-arm64 bench-arm64 bench-busy test-web test-web-package test-react-native test-hermes web maven test-maven test-c fuzz-c swift test-swift differences docs release

help: ## show this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## create .venv and install all that demo and test need (they also do it themselves)

$(READY): pyproject.toml scripts/apt-packages.txt
	@scripts/setup.sh

demo: $(READY) ## render words, distil a small chain, export it, identify the samples, benchmark it: 5 to 9 minutes
	@scripts/demo.sh

lint: $(READY) ## ruff's rules and layout, and mypy: strict for the packages, its defaults for the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint ## lint, then all tests
	$(BIN)/pytest

test-fast: $(READY) ## fast tests, under 2 minutes on two cores: without training and export
	$(BIN)/pytest -m "not slow and not heavy"

test-pythons: $(READY) ## test-wheel on each of Python 3.11, 3.12 and 3.13 that is installed
	@scripts/test-pythons.sh

test-wheel: $(READY) ## install the wheel off line, without torch, and test it (PYTHON=python3.13 chooses a Python)
	@sdk/test-wheel.sh $(PYTHON)

test-ray: $(READY) ## the examples for millions of files and pages, with Ray in its own virtual environment
	@sdk/test-ray.sh

test-ocrmypdf: $(READY) ## the plugin for OCRmyPDF, with OCRmyPDF in its own virtual environment
	@sdk/test-ocrmypdf.sh

fuzz: $(READY) ## 100,000 damaged images and model files: only the SDK's errors, within a second, no uninitialized memory
	@$(BIN)/python -c "import atheris" 2>/dev/null || $(BIN)/pip install --quiet "atheris>=3.0"
	$(BIN)/python tests/fuzz/fuzz.py images build/fuzz/images -runs=100000 -max_len=4096 -close_fd_mask=2
	$(BIN)/python tests/fuzz/fuzz.py twice build/fuzz/twice -runs=100000 -max_len=4096 -close_fd_mask=2
	$(BIN)/python tests/fuzz/fuzz.py models build/fuzz/models -runs=100000 -max_len=4096 -close_fd_mask=2

golden: $(READY) ## renew checksums, golden float32 model and expected answers after a change of a bundled model
	@cd sdk/scriptkd_sdk/models && sha256sum *.onnx > SHA256SUMS
	$(BIN)/python tests/contract/generate.py

test-java: ## the Java SDK for Java 8: compile it, run its tests and golden vectors on this machine's JVM
	@sdk/java/test.sh

apk: ## the Android demo: build, align, sign and check build/android/scriptkd-demo.apk
	@android-demo/build.sh

apk-screens: ## run the Android demo's screens on this machine's JVM and draw them into build/android/screens
	@android-demo/screens/test.sh

test-arm64: $(READY) ## the Python SDK's golden tests on emulated AArch64, cortex-a53 and cortex-a76
	@scripts/arm64/test.sh

bench-arm64: $(READY) ## count AArch64 instructions per image of the networks and of MODELS="FILE ..." (benchmarks/arm64.md)
	@scripts/arm64/build-qemu.sh
	@scripts/arm64/prepare.sh
	$(BIN)/python scripts/arm64/bench.py $(MODELS)

bench-busy: $(READY) ## time each command alone and beside one busy process, on two cores (DEMO=1: make demo instead)
	@$(BIN)/python scripts/busy.py $(if $(DEMO),--demo)

test-web: ## the web SDK's golden vectors and a user's path through the page, in headless Chromium
	@sdk/web/test.sh

test-web-package: ## install the npm package as a user does: tsc --strict, Node.js, Vite, a plain page
	@sdk/web/test-package.sh

test-react-native: ## the React Native module over the npm package, on Node.js
	@sdk/react-native/test.sh

test-hermes: ## scriptkd's JavaScript core in Hermes, compared with Node.js
	@sdk/react-native/test-hermes.sh

maven: ## build a Maven repository with the Java SDK, its models and the AAR in build/maven-repository
	@sdk/java/maven.sh

test-maven: ## projects that depend on that repository: Maven, Kotlin, and a program shrunk by R8
	@sdk/java/test-maven.sh

test-c: $(READY) ## the C core: golden vectors under sanitizers, threads, projects that use it, a short fuzz run
	@sdk/c/test.sh

fuzz-c: $(READY) ## 1,000,000 damaged descriptions and pixels through the C core
	@sdk/c/fuzz.sh

swift: ## build the Swift package as its own repository in build/swift/scriptkd
	@sdk/swift/package.sh

test-swift: $(READY) ## the Swift package: golden vectors on Linux, a project that uses it, objects for iOS and macOS
	@sdk/swift/test.sh

differences: $(READY) ## make docs/differences.md: how far all platforms' answers differ on the golden vectors
	@$(BIN)/python scripts/differences.py

docs: ## build the documentation site in build/site, with the browser page as a live demo
	@scripts/docs.sh

release: $(READY) ## build all packages of the last commit, with checksums, in build/release
	@scripts/release.sh

web: ## build the browser page in build/web, and print what a visitor downloads
	@cd sdk/web && npm ci --silent --ignore-scripts --omit=dev && node build.mjs

clean: ## delete build/, with the data sets, training runs and fonts in it, and caches; not .venv
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find sdk train export benchmarks tests -name __pycache__ -prune -exec rm -rf {} +
