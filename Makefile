# Watchroom. `make` lists the targets. Each one is the only command you need, even on a fresh machine.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install servers check test demo generate fuzz bench published-year boards docs changelog up down clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.dev ## create .venv with everything, in the locked versions

demo: .venv/.run ## simulate 28 days up to now, then live; needs only Python (ARGS="--for 20")
	$(BIN)/watchroom demo $(ARGS)

test: install servers deploy/kafka/libs/.complete ## set up Kafka, Redis and Prometheus, then run the tests (ARGS="-k name")
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: install ## lint, format, types, import contract, dead and duplicate code, language, derived files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/pylint --disable=all --enable=duplicate-code --min-similarity-lines=6 --ignore-imports=yes --recursive=yes services/
	$(BIN)/python -m tests.language
	$(BIN)/watchroom generate --check

generate: install ## rewrite the derived files: schemas, documents, rules, boards
	$(BIN)/watchroom generate

fuzz: install ## feed unexpected bytes to everything that reads CSV, workbooks, TOML and JSON (ARGS="--for 600")
	$(BIN)/python -m tests.fuzz $(ARGS)

bench: install servers deploy/kafka/libs/.complete ## measure events per second and CPU per event, on real Kafka and Redis
	$(BIN)/python -m tests.bench $(ARGS)

published-year: install servers deploy/kafka/libs/.complete ## run the published report's year end to end, and compare with the printed numbers
	$(BIN)/python -m tests.published_year $(ARGS)

boards: install servers deploy/kafka/libs/.complete ## draw every board on live simulated data; needs Node 20 (ARGS=--publish)
	@deploy/setup/boards.sh
	$(BIN)/python -m tests.pictures $(ARGS)

docs: install ## build the pages as a site in build/site; fails on a broken link or heading
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

changelog: install ## show what the next release will say: the fragments in changelog.d
	@$(BIN)/towncrier build --draft --version "Next release"

up: ## run everything in containers: Kafka, Redis, Watchroom, Prometheus, Alertmanager, Grafana (ARGS="--profile simulator")
	docker compose $(ARGS) up --build --detach --wait

down: ## stop the containers; the volumes with the figures are kept
	docker compose --profile simulator down

servers:
	@deploy/setup/servers.sh

clean: ## remove what the commands above have created
	rm -rf .venv deploy/kafka/libs build grafana/render/node_modules grafana/render/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# What is installed depends on these two files; nothing happens while they are unchanged.
.venv/.run: pyproject.toml constraints.txt
	@deploy/setup/venv.sh $(PYTHON) embedded
	@touch $@

.venv/.dev: pyproject.toml constraints.txt
	@deploy/setup/venv.sh $(PYTHON) embedded,dev
	@touch .venv/.run $@

deploy/kafka/libs/.complete: deploy/kafka/pom.xml | servers
	@deploy/setup/kafka.sh
