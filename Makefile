# Watchroom. `make` lists what can be made; each is the only command to type, also on a fresh machine.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install servers check test demo generate fuzz bench published-year boards docs changelog up down clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.dev ## .venv with everything, in the locked versions

demo: .venv/.run ## 28 simulated days up to now, then live; needs Python only (ARGS="--for 20")
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

fuzz: install ## bytes that nobody expects, into all that reads CSV, workbooks, TOML and JSON (ARGS="--for 600")
	$(BIN)/python -m tests.fuzz $(ARGS)

bench: install servers deploy/kafka/libs/.complete ## events a second and CPU an event, on real Kafka and Redis
	$(BIN)/python -m tests.bench $(ARGS)

published-year: install servers deploy/kafka/libs/.complete ## the published report's year through everything, beside the printed numbers
	$(BIN)/python -m tests.published_year $(ARGS)

boards: install servers deploy/kafka/libs/.complete ## draw every board on live simulated data; needs Node 20 (ARGS=--publish)
	@deploy/setup/boards.sh
	$(BIN)/python -m tests.pictures $(ARGS)

docs: install ## the pages as a site in build/site; fails for a link or heading that is gone
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

changelog: install ## what the next release will say: the fragments in changelog.d
	@$(BIN)/towncrier build --draft --version "Next release"

up: ## everything in containers: Kafka, Redis, Watchroom, Prometheus, Alertmanager, Grafana (ARGS="--profile simulator")
	docker compose $(ARGS) up --build --detach --wait

down: ## end the containers; the volumes with the figures stay
	docker compose --profile simulator down

servers:
	@deploy/setup/servers.sh

clean: ## take away what the commands above have made
	rm -rf .venv deploy/kafka/libs build grafana/render/node_modules grafana/render/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# What is installed follows these two files; nothing is done while they stay as they are.
.venv/.run: pyproject.toml constraints.txt
	@deploy/setup/venv.sh $(PYTHON) embedded
	@touch $@

.venv/.dev: pyproject.toml constraints.txt
	@deploy/setup/venv.sh $(PYTHON) embedded,dev
	@touch .venv/.run $@

deploy/kafka/libs/.complete: deploy/kafka/pom.xml | servers
	@deploy/setup/kafka.sh
