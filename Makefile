# Everything a developer types. `make help` lists it.

PYTHON ?= python3
REPOS ?=
ACTIONS ?=
WRITE ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# For what asks a registry of packages.
TRY_AGAIN := sh .ci/try-again
WITH_DOCKER := $(BIN)/python -m tests.with_docker
# Two processes; who has no tests left takes half of the other's.
TWO := -n 2 --dist worksteal
# Commands start from compiled code: this must not be switched off while we build.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help env demo test test-long container-tools check conformance bench real docs lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

env: .venv/ready ## make .venv, with the command in .venv/bin/trunkline
	@$(BIN)/python -m compileall -q src

.venv/ready: requirements/dev.txt pyproject.toml
	@PYTHON="$(PYTHON)" sh .ci/check-machine
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	@$(TRY_AGAIN) $(PIP) install --quiet --no-compile --require-hashes -r requirements/dev.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q -j 0 "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
	@touch $@
	@echo "Ready: $(BIN)/trunkline"

demo: env ## run the workflow of examples/python-package
	@sh examples/demo

test: env check container-tools ## every check and every test
	@$(WITH_DOCKER) $(BIN)/pytest $(TWO)

check: env ## style, types and import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

test-long: env container-tools ## the tests that take longer than a few seconds, and properties with more examples
	@HYPOTHESIS_PROFILE=thorough $(WITH_DOCKER) $(BIN)/pytest $(TWO) -m "long or hypothesis"

container-tools: ## install what the tests of containers need (root on Debian; elsewhere nothing)
	@sh .ci/install-container-tools

conformance: env ## GitHub's own fixtures; ends with "N passed, N failed, N skipped"
	@$(BIN)/pytest $(TWO) tests/conformance

bench: env container-tools .venv-bench/ready ## measure beside act, and print the table
	@rm -rf build/bench
	@$(PIP) wheel --quiet --no-deps --no-build-isolation -w build/bench .
	@.venv-bench/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --force-reinstall build/bench/*.whl
	@$(WITH_DOCKER) .venv-bench/bin/python -m benchmarks.run $(if $(WRITE),--write $(WRITE))
	@.venv-bench/bin/python -m benchmarks.registry $(if $(WRITE),--write docs/benchmarks.md)
	@.venv-bench/bin/python -m benchmarks.buildspec $(if $(WRITE),--write docs/benchmarks.md)
	@$(BIN)/python -m benchmarks.services $(if $(WRITE),--write docs/benchmarks.md)

# What users install, and nothing else: other packages change how long ours take to load.
.venv-bench/ready: requirements/run.txt requirements/bench.txt
	@test -x .venv-bench/bin/python || "$(PYTHON)" -m venv .venv-bench
	@$(TRY_AGAIN) .venv-bench/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/run.txt -r requirements/bench.txt
	@touch $@

real: env ## run real repositories' workflows (REPOS=DIR) and real actions (ACTIONS=DIR)
	@test -n "$(REPOS)$(ACTIONS)" || { echo "make real REPOS=DIR, ACTIONS=DIR or both, where DIR holds clones (see tests/real/README.md)"; exit 2; }
	@test -z "$(REPOS)" || $(BIN)/python -m tests.real.repositories_run "$(REPOS)"
	@test -z "$(ACTIONS)" || $(WITH_DOCKER) $(BIN)/python -m tests.real.actions_run "$(ACTIONS)"

docs: env ## write what the source tells about itself into the documentation
	@$(BIN)/python -m docs.generate

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile -q --upgrade --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --custom-compile-command "make lock" --extra dev pyproject.toml -o requirements/dev.txt
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --custom-compile-command "make lock" -c requirements/dev.txt pyproject.toml -o requirements/run.txt
	uv pip compile -q --upgrade --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --custom-compile-command "make lock" -c requirements/dev.txt requirements/bench.in -o requirements/bench.txt

clean: ## remove the environment and what the tools left
	rm -rf .venv .venv-bench build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
