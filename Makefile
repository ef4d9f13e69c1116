# Footnote's everyday commands; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help install install-dev up down test check format lock clean
SHELL := /bin/bash
PY := .venv/bin/python
DOCS ?=
PYTEST_ARGS ?=

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Make the environments and build the chat page; does nothing when all is current
	@infra/install.sh

install-dev: ## The same, with what tests and checks need
	@infra/install.sh --dev

up: install ## Start everything and answer a sample question; DOCS=folder ingests that folder too
	@exec .venv/bin/footnote up $(if $(DOCS),--docs "$(DOCS)")

down: ## Stop what `make up` started
	@.venv/bin/footnote down

test: install-dev ## Run every test; PYTEST_ARGS="tests/unit -k cache" runs some
	@infra/browser.sh
	@exec .venv/bin/pytest $(PYTEST_ARGS)

check: install-dev ## Format, lint, strict types, import contracts
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	cd apps/web && npm run --silent --if-present check

format: install-dev ## Rewrite the code as `make check` wants it
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

lock: install-dev ## Pin the newest versions that requirements/*.in allow: UPGRADE=1 make lock
	UV=$(CURDIR)/.venv/uv/bin/uv requirements/lock.sh

clean: ## Remove the environments, the built page and caches; documents and models in .footnote stay
	rm -rf .venv .venv-model apps/web/dist apps/web/node_modules build *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
