# Every way to start something, a line each. Needs nothing but Python 3.11 or newer.

# The first Python that is new enough; else the first there is, which says in a sentence that it is too old.
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3 python; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; for p in python3 python; do $$p -c '' 2>/dev/null && echo $$p && exit; done; echo python3)
SETUP := $(PYTHON) bootstrap.py
IN := .venv/bin/
# The names at which the containers are reached.
NAME ?= localhost
# What `make test` hands to pytest.
ARGS ?= -n 2

.PHONY: help up update certificate run test browser fuzz lint format types check lock mock chaos rolling outage recovery backup restore bench schema

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

run: ## the studio at http://127.0.0.1:5050/ (PORT, DATA_DIR and more: .env.example)
	@exec $(SETUP) run

up: ## around the clock, in containers, at https://NAME/: NAME="studio.home 192.168.1.20" (docs/operations.md)
	@deploy/env $(NAME) && nginx/certificate $(NAME) && docker compose up --detach --build

update: ## the containers, to this version: no request fails, no job is lost
	@exec deploy/update

certificate: ## a self-signed one for NAME, where nginx/certificates has none
	@exec nginx/certificate $(NAME)

test: ## the tests; ARGS="-k cancel" hands arguments to pytest
	@exec $(SETUP) test $(ARGS)

browser: ## the tests that drive Chromium
	@exec $(SETUP) test -m browser -n 2 --dist loadfile

fuzz: ## schemathesis over the whole API, minutes long; FUZZ_EXAMPLES=100 asks more
	@exec $(SETUP) test -n 0 trials/test_fuzz.py

lint: ## ruff, and the direction of the imports
	@$(SETUP) dev && $(IN)ruff format --check && $(IN)ruff check && $(IN)lint-imports

format: ## ruff, writing
	@$(SETUP) dev && $(IN)ruff format && $(IN)ruff check --fix

types: ## mypy --strict
	@$(SETUP) dev && $(IN)mypy .

check: lint types test ## all of the three

lock: ## requirements*.txt from requirements*.in
	@$(SETUP) dev && $(IN)python -m pip install --quiet uv
	@for name in requirements requirements-s3 requirements-dev; do $(IN)python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" $$name.in --output-file $$name.txt || exit 1; done

mock: ## nothing but the imitated providers, at http://127.0.0.1:5051/mock/
	@MOCKAPI_ENABLED=true MOCKAPI_ONLY=true PORT=$${PORT:-5051} DATA_DIR=$${DATA_DIR:-var/mock} exec $(SETUP) run

chaos rolling outage recovery bench: ARGS = # those of `make test` are not theirs
chaos: ## kill processes at random while 100 songs and 25 sets of pictures are made, and count; ARGS="--database sqlite --seed 7"
	@$(SETUP) dev && $(IN)python -m trials.chaos $(ARGS)

rolling: ## two updates behind nginx while 50 songs are made: nobody may notice
	@$(SETUP) dev && $(IN)python -m trials.update $(ARGS)

outage: ## PostgreSQL, Redis, nginx, worker, app and provider away for 60 s each, under load; ARGS="--seconds 20"
	@$(SETUP) dev && $(IN)python -m trials.outage $(ARGS)

recovery: ## a backup while songs run, everything wiped, a restore, and they go on; ARGS="--database sqlite"
	@$(SETUP) dev && $(IN)python -m trials.recovery $(ARGS)

backup: ## a backup of the database and the files, while the studio runs
	@exec $(SETUP) manage backup

restore: ## the newest backup onto an empty machine; manage.py restore --help for more
	@exec $(SETUP) manage restore

bench: ## the figures of docs/benchmarks.md; ARGS="rest list --database sqlite"
	@$(SETUP) dev && $(IN)python -m trials.bench $(ARGS)

schema: ## the OpenAPI description, validated, on the terminal
	@$(SETUP) dev && $(IN)python manage.py spectacular --validate --fail-on-warn
