# `make` alone lists what there is. On a fresh machine `make up` and `make test` are the only commands needed.
SHELL := /bin/sh
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Command-line variables reach the recipes by themselves. Their names go along, so that a misspelt one is noticed.
export GIVEN_KNOBS := $(foreach word,$(MAKEOVERRIDES),$(if $(findstring =,$(word)),$(firstword $(subst =, ,$(word)))))

SYSTEM := tests/integration tests/faults
# Several files at once; what fails is run once more with nothing beside it, and told.
beside = tests/beside $(1) -n $(2) --dist loadfile --no-loadscope-reorder -m 'not alone and not calm' $(PYTEST)
# Only the files that have such a test: reading all of them takes longer than running these.
alone = tests/beside $$(grep -rlw mark.alone $(1) --include='test_*.py') -m alone $(PYTEST)
# They wait for what a busy machine would look like, and use little of it themselves: three files at once, nothing else.
calm = tests/beside $$(grep -rlw mark.calm $(1) --include='test_*.py') -n 3 --dist loadfile --no-loadscope-reorder -m calm $(PYTEST)
# Hundreds of processes are started: they shall find their modules compiled.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help up down test test-tools test-lint test-rules test-dashboard test-unit test-integration test-e2e test-faults \
  test-compute test-system test-alone soak silences hostile batch-drill drill remote-story bench bench-wall lint fmt coverage audit licences \
  contract objectives lock clean

help: ## show this list
	@echo 'Framefleet. Commands:'
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-18s %s\n", $$1, $$2 }'
	@echo 'Knobs of make up:'
	@echo '  WORKERS=N          how many workers (default: one per core; 0: frames wait)'
	@echo '  WORKERS_BATCH=N    how many workers of the batch lane at most, while jobs need them (default: one per core)'
	@echo '  SOURCE=WHAT        demo (default), none, a video file, a folder of images, http(s)://, rtsp://, webcam:0'
	@echo '  CAMERAS=FILE       a file that lists the cameras, read again when it changes (docs/cameras.md), instead of SOURCE'
	@echo '  PORT=8080          port of the dashboard (default: 8080, or the next free one)'
	@echo '  HOST=0.0.0.0       let phones of this network see the dashboard, with a token (default: this machine alone)'
	@echo '  MODEL_DIR=FOLDER   a folder with model files, looked at before downloading'
	@echo '  AMQP_URL=URL       use this broker instead of a private RabbitMQ'
	@echo 'Knob of make test:   PYTEST="-k name"  further arguments for pytest'

up: ## install what is missing and run the whole system until Ctrl-C
	@exec $(PYTHON) -m cli.bootstrap up

down: ## stop the system that runs in this checkout
	@exec $(PYTHON) -m cli down

# First what computes; then what mostly waits, several files at a time; linters and the dashboard have the processors whenever
# these two wait. Then the browser's; at last what measures. These have nothing beside them (docs/testing.md).
test: test-tools ## install what the tests need and run all of them; ends with the time of each part
	@rm -f .run/test-times
	@export TOOLS=ready; again='$(MAKE) --no-print-directory'; \
	  tests/aside $$again -k time-lint time-dashboard & aside=$$!; \
	  trap 'kill $$aside' INT TERM; \
	  $$again time-compute && $$again time-system; status=$$?; \
	  wait $$aside || status=$$?; \
	  [ $$status -ne 0 ] || { $$again time-e2e && $$again time-alone; status=$$?; }; \
	  echo 'make test:'; cat .run/test-times; exit $$status

time-%:
	@tests/timed $* $(MAKE) --no-print-directory test-$*

test-tools: ## install what the tests need
	@[ "$$TOOLS" = ready ] || $(PYTHON) -m cli.bootstrap tests

test-lint: test-tools ## formatting, ruff, spelling, mypy --strict, import-linter, licences
	ruff format --check .
	ruff check .
	codespell
	mypy
	lint-imports
	python -m tests.house.licences --check

# `make test` has them in tests/unit/test_alert_rules.py.
test-rules: test-tools ## Prometheus: configuration, alert rules and their tests
	promtool check config prometheus.yml
	cd deploy/prometheus/tests && promtool test rules *.yml

objectives: test-tools ## write the rules of deploy/prometheus/objectives.toml, after it was changed (docs/alerts.md)
	python -m cli.objectives

test-dashboard: test-tools ## ESLint, Prettier, svelte-check and Vitest (the production build is made by test-tools)
	@# Not `npm run check`: the texts were checked by the build.
	cd dashboard && npm run lint && npm run format:check && npm run contract:check && npm run types && npm test

test-unit: test-tools ## pytest: no network, no sleeping
	$(call beside,tests/unit,2)
	$(call alone,tests/unit)

test-compute: test-tools ## pytest: unit, without what is marked `alone`
	$(call beside,tests/unit,2)

test-integration: test-tools ## pytest: against a private RabbitMQ and Prometheus
	$(call beside,tests/integration,3)
	$(call alone,tests/integration)
	$(call calm,tests/integration)

test-e2e: test-tools ## pytest: the whole system in a browser
	$(call beside,tests/e2e,3)

test-faults: test-tools ## pytest: breaks a real broker and real processes, and checks the books
	$(call beside,tests/faults,3)
	$(call alone,tests/faults)
	$(call calm,tests/faults)

test-system: test-tools ## pytest: integration and faults at once, without what is marked `alone` or `calm`
	$(call beside,$(SYSTEM),4)

test-alone: test-tools ## pytest: what is marked `alone`, one test after the other; then `calm`, three files at a time
	$(call alone,tests/unit $(SYSTEM))
	$(call calm,$(SYSTEM))

soak: test-tools ## random faults under load for SECONDS=1800, repeatable by SEED=1; then the books must balance
	python -m tests.faults.soak --seconds $(or $(SECONDS),1800) --seed $(or $(SEED),1)

silences: test-tools ## what is frozen, torn apart, full or put back for SECONDS=60 each, as in docs/faults.md (20 minutes)
	SILENCE_SECONDS=$(or $(SECONDS),60) pytest -s tests/faults/test_silences.py tests/faults/test_clocks_put_back.py \
	  tests/faults/test_partitions.py tests/faults/test_disk_full.py tests/faults/test_cluster_nodes.py tests/e2e/test_silence.py $(PYTEST)

hostile: test-tools ## a demo among enemies for SECONDS=600: clients, cameras, a viewer, a damaged broker; it must not notice
	python -m tests.faults.hostile --seconds $(or $(SECONDS),600)

batch-drill: test-tools ## ITEMS=50000 pictures in a job whose client, worker and broker are killed; then the books must be exact
	BATCH_ITEMS=$(or $(ITEMS),50000) pytest -s tests/faults/test_batch.py --timeout 36000 $(PYTEST)

drill: test-tools ## twelve faults in a system of its own, and the alert that each must set off (40 minutes, as root)
	python -m tests.faults.drill --only '$(ONLY)'

remote-story: test-tools ## a remote model under a budget that breaks, 34 % errors and exact books, beside a plain loop (5 minutes)
	python -m bench.remote --images $(or $(IMAGES),400)

bench: test-tools ## what viewers, the history and counting cost, as in docs/benchmarks.md and docs/viewers.md (20 minutes); fails where an aim is missed
	python -m bench.viewers --check
	python -m bench.history --check
	python -m bench.presence --check

bench-wall: test-tools ## whether /wall stays smooth, as in docs/benchmarks.md (MINUTES=10); fails where an aim is missed
	python -m bench.wall --minutes $(or $(MINUTES),10) --check

lint: test-lint ## the same as test-lint

fmt: test-tools ## format the code, Python and dashboard, and mend what ruff can mend
	ruff check --fix-only .
	ruff format .
	cd dashboard && npm run --if-present format

coverage: test-tools ## pytest: the unit tests, and how much of each package they run; fails below tests/house/floors.toml
	@# Not those that measure CPU time: being watched doubles it.
	pytest tests/unit --cov --cov-report= -k 'not seconds_of_cpu and not takes_long' $(PYTEST)
	python -m tests.house.coverage

audit: test-tools ## ask PyPI and the npm registry for known holes in the locked packages (needs the network)
	@python -m venv .run/audit && .run/audit/bin/pip install --quiet --disable-pip-version-check --require-hashes \
	  --only-binary=:all: -r requirements/audit.txt
	@failed=; for file in dev worker-gpu node audit; do \
	  echo "requirements/$$file.txt:"; \
	  .run/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner=off -r requirements/$$file.txt \
	    || failed="$$failed requirements/$$file.txt"; \
	done; \
	echo dashboard/package-lock.json:; (cd dashboard && npm audit) || failed="$$failed dashboard/package-lock.json"; \
	[ -z "$$failed" ] || { echo "make audit: known holes, or packages that the registry does not know, in$$failed"; exit 1; }

licences: test-tools ## write docs/third-party-licences.md anew, after a change of the lock files
	python -m tests.house.licences

contract: test-tools ## generate the dashboard's types and readers anew, after a change of contract/
	cd dashboard && npm run contract

lock: test-tools ## pin the Python packages anew, after a change of pyproject.toml (needs uv)
	requirements/lock

clean: ## remove what was built and what runs have left; the virtual environment and the data of .run too
	@if [ -d .run ] && command -v flock >/dev/null && ! flock --nonblock .run/lock true; then \
	    echo 'Framefleet runs here: stop it first (make down)'; exit 1; fi
	rm -rf .run .venv dashboard/dist dashboard/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
