# The targets people use. Everything is set up on the way: a fresh Debian or Ubuntu machine needs nothing but make
# and Python >= 3.11.
.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-paging test-swap test-outage test-spark test-asyncio test-compiled test-servers test-deploy test-browser test-image image lock check bench
.PHONY: bench-costs bench-dashboards bench-relay bench-decode bench-diagnosis bench-evidence bench-exposition bench-feedback bench-feedback-relay bench-fleet bench-fleet-rules bench-hostile
.PHONY: bench-profile bench-scores bench-status bench-throughput bench-told bench-windows bench-witness soak docs site golden reliability pictures format clean
.PHONY: dashboards-render dashboards-types bench-start dist test-pythons

# Tests start these sources hundreds of times: they are compiled once, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
# There are more processes than processors, so that a second thread of a matrix product only waits for the first.
export OPENBLAS_NUM_THREADS := 1

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
RELAY_FAULTS := $(addprefix tests/faults/test_,vectors.py streams.py swap.py slow_clients.py)

# What the event loop has no part in: no socket is opened there, or only what is read of the same bytes is looked at.
WITHOUT_A_LOOP := $(addprefix --ignore=tests/,proxy/test_observer.py proxy/test_put_off.py faults/test_vectors.py) \
	--deselect=tests/faults/test_streams.py::test_an_observer_makes_the_same_of_a_conversation_in_whatever_pieces_it_comes
# At each line of a module that is never compiled.
NOT_COMPILED := --deselect=tests/handoff/test_ledger.py::test_a_committer_killed

# Model servers, each in an environment of its own: they would not agree about what to install.
SERVERS := $(basename $(notdir $(wildcard tests/servers/requirements/*.txt)))

# What Prometheus Operator and Kyverno know of their resources, from npm.
MODELS := tests/deploy/operator tests/deploy/policies

# The sources as they are installed from a wheel: the request path compiled, without the directory we are in.
COMPILED := build/compiled
RUN_COMPILED := PYTHONSAFEPATH=1 PYTHONPATH="$(CURDIR)/$(COMPILED)"
# Tests wait more than they compute, so there are two processes for each processor; neighbours stay together, as they
# share what was made for them. Those in which minutes pass in seconds come afterwards, one process for each
# processor, a file at a time; and then those that need all processors. tests/conftest.py has these passes read the few
# files that they are in. Tests of deploying compute: a file for each processor.
PARALLEL ?= -n $(shell echo $$(($$(nproc) * 2))) --maxprocesses=16 --dist worksteal
FILES ?= $(if $(PARALLEL),-n $(shell nproc) --maxprocesses=4 --dist loadscope)
PACED ?= $(FILES)

# What builds images, whichever is there, and what it is called then.
BUILDER ?= $(shell command -v docker || command -v podman || command -v buildah)
TAG ?= inference-exporter:0.1.0
PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Watch a real model drift and page, live (DURATION=300 STORY=healthy SEED=1 KEEP=1 GRAFANA=docker)
	@deploy/install-tools prometheus prometheus-alertmanager || [ $$? -lt 128 ] # an interrupt ends this, too
	@$(BIN)/inference-exporter demo $(if $(DURATION),--duration $(DURATION)) $(if $(STORY),--story $(STORY)) \
		$(if $(SEED),--seed $(SEED)) $(if $(filter-out 0 no false off,$(KEEP)),--keep) $(if $(GRAFANA),--grafana $(GRAFANA)) $(ARGS)

test: $(VENV)/.test ## Run the tests, two processes for each core (ARGS="-k relay", PARALLEL= for one by one)
	.ci/tests $(BIN)/python $(PARALLEL) -m 'not slow and not paced and not servers and not deploy and not browser' $(ARGS)
	.ci/tests $(BIN)/python $(PACED) -m 'paced and not alone' $(ARGS)
	.ci/tests $(BIN)/python -m alone $(ARGS)

test-slow: $(VENV)/.test ## Run the tests that take long: healthy demos, a million requests, long faults (an hour)
	$(BIN)/python -m pytest -m slow $(ARGS)

test-paging: $(VENV)/.test ## See how soon a changed unit pages in real time, and that days, versions and replicas do not (twenty minutes)
	$(BIN)/python -m pytest -m slow -s tests/test_page_in_time.py tests/test_scale_up.py $(ARGS)

test-swap: $(VENV)/.test ## See that nobody gets another's answer in a million requests (five minutes)
	$(BIN)/python -m pytest -m slow tests/faults/test_swap.py $(ARGS)

test-outage: $(VENV)/.test ## Have Redis and PostgreSQL go away for a minute under load: nothing is lost, all is counted (six minutes)
	@deploy/install-tools redis-server postgresql || echo "what is missing is skipped"
	$(BIN)/python -m pytest -m slow -s tests/test_outage_end_to_end.py $(ARGS)

test-spark: $(VENV)/.test $(VENV)/.spark ## See that Spark builds the profile that one process builds (needs Java)
	$(BIN)/python -m pytest tests/profile/test_spark.py $(ARGS)

test-asyncio: $(VENV)/.test ## Run the relay's tests on asyncio's own event loop
	RELAY_EVENT_LOOP=asyncio .ci/tests $(BIN)/python tests/proxy $(RELAY_FAULTS) $(WITHOUT_A_LOOP) $(PARALLEL) $(ARGS)

test-compiled: $(VENV)/.test $(COMPILED)/.made ## Run the request path's tests on what users install: compiled
	$(RUN_COMPILED) .ci/tests $(BIN)/python tests/test_compiled.py tests/proxy tests/http11 tests/handoff $(RELAY_FAULTS) $(NOT_COMPILED) $(PARALLEL) $(ARGS)

test-servers: $(VENV)/.test $(SERVERS:%=build/servers/%/.made) ## Run the tests with real model servers: MLServer, MLflow, KServe
	$(BIN)/python -m pytest -m servers tests/servers $(ARGS)

test-deploy: $(VENV)/.test $(VENV)/.deploy $(VENV)/.docs $(VENV)/.release $(MODELS:%=%/node_modules/.made) ## Check all that deploys us: the chart, manifests, compose file, units, scrape configurations
	.ci/tests $(BIN)/python -m deploy tests/deploy $(FILES) $(ARGS)

test-browser: $(VENV)/.test $(VENV)/.browser ## Look at the status page in a real Chromium: what it says, keyboard, contrast, hostile names
	@deploy/install-tools chromium || echo "what is missing is skipped"
	.ci/tests $(BIN)/python -m browser tests/browser $(ARGS)

test-image: $(VENV)/.test ## Build the image on a Debian of its own and run it, read-only and without a shell (needs root; five minutes)
	@deploy/install-tools buildah debootstrap || echo "what is missing is skipped"
	$(BIN)/python -m pytest -m slow -s tests/deploy/test_image_runs.py $(ARGS)

image: ## Build the image with docker, podman or buildah (TAG=inference-exporter:0.1.0 LOCK=requirements-stores.txt BASE=python:3.12-slim ARGS=--pull)
	$(if $(BUILDER),,$(error docker, podman or buildah is needed))
	$(if $(LOCK),$(if $(wildcard deploy/image/$(LOCK)),,$(error there is no deploy/image/$(LOCK), but $(notdir $(filter-out %-build.txt,$(wildcard deploy/image/requirements*.txt))))))
	$(BUILDER) $(if $(filter %buildah,$(BUILDER)),bud,build) $(if $(filter %docker,$(BUILDER)),,--format docker) \
		--file deploy/image/Dockerfile $(if $(LOCK),--build-arg LOCK=$(LOCK)) $(if $(BASE),--build-arg BASE=$(BASE)) \
		--build-arg REVISION=$(shell git rev-parse HEAD 2>/dev/null) --tag $(TAG) $(ARGS) .

lock: $(VENV)/.lock ## Pin what the image brings, with hashes; what is pinned stays where it will do (ARGS=--upgrade)
	$(PIN) --extra br --extra zstd pyproject.toml --output-file deploy/image/requirements.txt $(ARGS)
	$(PIN) $(addprefix --extra ,br zstd redis postgres s3 gcs mlflow otel) pyproject.toml --output-file deploy/image/requirements-stores.txt $(ARGS)
	$(PIN) $(addprefix --extra ,br zstd demo) pyproject.toml --output-file deploy/image/requirements-demo.txt $(ARGS)
	$(PIN) deploy/image/requirements-build.in --output-file deploy/image/requirements-build.txt $(ARGS)

test-pythons: ## Run the tests on every CPython from 3.11 on that is at hand (PYTHONS="python3.13" ARGS="tests/http11")
	@mkdir -p build
	@$(PYTHON) tests/pythons.py $(PYTHONS) >build/pythons.txt
	@while read -r version python; do echo "CPython $$version: $$python"; \
		$(MAKE) --no-print-directory test VENV=build/pythons/$$version PYTHON="$$python" </dev/null || failed="$$failed $$version"; \
	done <build/pythons.txt; [ -z "$$failed" ] || { echo "not on:$$failed"; exit 1; }

dist: $(VENV)/.release ## Make what is released, of the last commit, in dist/: the sources and wheels (the same bytes every time)
	@deploy/install-tools gcc python3-dev || echo "a C compiler and Python's headers are needed for the compiled wheel"
	rm -rf dist
	.ci/dist $(BIN)/python dist $(ARGS)
	$(BIN)/python -m twine check --strict dist/*

check: $(VENV)/.dev site ## Run the linters (ruff, mypy, import-linter), and follow every link of the documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test ## Run the benchmarks
	$(BIN)/python benchmarks/binning.py

bench-start: $(VENV)/.test ## Measure how long a start takes, until the first answer (ARGS="--command PATH")
	PYTHONPATH="$(CURDIR)/tests" $(BIN)/python benchmarks/start.py $(ARGS)

bench-relay: $(VENV)/.bench $(COMPILED)/.made ## Measure what a hop costs, beside other relays (ARGS=--memory)
	@deploy/install-tools nginx-light haproxy wrk || echo "what is missing is skipped"
	$(RUN_COMPILED):"$(CURDIR)/benchmarks" $(BIN)/python benchmarks/relay.py $(ARGS)

bench-decode: $(VENV)/.test build/bench-decode/.made ## Measure what a payload costs the analyser, beside whylogs and pandas
	$(BIN)/python benchmarks/decode.py $(ARGS)

bench-scores: $(VENV)/.test build/bench-decode/.made build/bench-scores/.made ## Measure what sketches and scores cost, beside whylogs, Evidently, river and scipy
	$(BIN)/python benchmarks/scores.py $(ARGS)

bench-diagnosis: $(VENV)/.test ## Plant faults in live traffic and see what they are called (ten minutes; ARGS="--seeds 5")
	$(BIN)/python benchmarks/diagnosis.py $(ARGS)

bench-fleet: $(VENV)/.test ## Measure how soon drift pages in a fleet that comes and goes, pooled and replica by replica
	$(BIN)/python benchmarks/fleet_delay.py $(ARGS)

bench-fleet-rules: $(VENV)/.test ## Measure what the rules of the fleet cost a real Prometheus (five minutes; ARGS="--features 50")
	@deploy/install-tools prometheus
	$(BIN)/python benchmarks/fleet_rules.py $(ARGS)

bench-dashboards: $(VENV)/.bench ## Ask all that dashboards ask, of twenty replicas, fifty models, 1,000 features (ten minutes; ARGS="--only fleet")
	@deploy/install-tools prometheus
	PYTHONPATH="$(CURDIR):$(CURDIR)/tests" $(BIN)/python benchmarks/dashboard_queries.py $(ARGS)

bench-hostile: $(VENV)/.test ## Measure what hostile clients of the web side cost the relay's (ten minutes; ARGS="--only bodies")
	@deploy/install-tools nginx-light wrk openssl || echo "what is missing is needed"
	$(BIN)/python benchmarks/hostile.py $(ARGS)

bench-feedback: $(VENV)/.test ## Measure what it costs to keep predictions for their truth: disk, memory, processor (two minutes)
	MALLOC_ARENA_MAX=2 $(BIN)/python benchmarks/feedback_store.py $(ARGS)

bench-witness: $(VENV)/.test ## Measure what spans, the prediction log, exemplars and examples cost (six minutes; ARGS="--only log")
	@deploy/install-tools nginx-light wrk
	PYTHONPATH="$(CURDIR)" $(BIN)/python benchmarks/witness.py $(ARGS)

bench-feedback-relay: $(VENV)/.test ## Measure what late truth costs those who ask the model (three minutes; ARGS="--truths 5000")
	@deploy/install-tools nginx-light wrk
	PYTHONPATH="$(CURDIR)" $(BIN)/python benchmarks/feedback_relay.py $(ARGS)

bench-windows: $(VENV)/.test ## Measure full windows: snapshots, scores, the state file, memory (ARGS="--values 1e8")
	MALLOC_ARENA_MAX=2 $(BIN)/python benchmarks/windows.py $(ARGS)

bench-status: $(VENV)/.test ## Measure what the status page and its API cost, by number of features (a minute; ARGS="--features 100")
	PYTHONPATH="$(CURDIR)/tests" $(BIN)/python benchmarks/status.py $(ARGS)

bench-told: $(VENV)/.test ## Measure what the facts of the status cost, by number of features (a minute; ARGS="--features 100")
	PYTHONPATH="$(CURDIR)/tests" $(BIN)/python benchmarks/told.py $(ARGS)

bench-exposition: $(VENV)/.test $(COMPILED)/.made ## Measure what pages and scrapes cost, beside prometheus_client, and under load (five minutes)
	@deploy/install-tools nginx-light wrk
	$(RUN_COMPILED):"$(CURDIR)/benchmarks" $(BIN)/python benchmarks/exposition.py $(ARGS)

bench-throughput: $(VENV)/.test $(COMPILED)/.made ## Send 5,000 requests a second, all observed, and say who spends what
	@deploy/install-tools nginx-light wrk
	$(RUN_COMPILED):"$(CURDIR)/benchmarks" $(BIN)/python benchmarks/throughput.py $(ARGS)

bench-costs: $(VENV)/.test $(COMPILED)/.made ## Measure what a sidecar costs, and a Prometheus that scrapes it (eight minutes; ARGS="--only sidecar")
	@deploy/install-tools nginx-light wrk prometheus
	$(RUN_COMPILED):"$(CURDIR)/benchmarks" MALLOC_ARENA_MAX=2 $(BIN)/python benchmarks/costs.py $(ARGS)

bench-profile: $(VENV)/.test build/bench-decode/.made ## Measure what building a profile costs, beside whylogs (five minutes)
	$(BIN)/python benchmarks/profile_build.py $(ARGS)

bench-evidence: $(VENV)/.test build/bench-evidence/.made ## Simulate months without drift, delays, recorded sets, cost (an hour; ARGS="--days 2 --only wander")
	$(BIN)/python benchmarks/proof.py $(ARGS)
	$(BIN)/python benchmarks/delays.py
	$(BIN)/python benchmarks/recorded.py build/bench-evidence/lib/python*/site-packages

soak: $(VENV)/.soak ## See whether anything grows under mixed traffic (DURATION=10m; a picture of it in build/soak)
	$(BIN)/python benchmarks/soak.py $(if $(DURATION),--duration $(DURATION)) $(ARGS)

site: $(VENV)/.docs ## Build the documents as a site, in build/site; a link that leads nowhere is an error
	$(BIN)/sphinx-build -q -E -W --keep-going -j auto -c docs/site -d build/doctrees . build/site

docs: $(VENV)/.dev $(VENV)/.test ## Write the generated documents anew
	$(BIN)/python dashboards/build.py
	$(BIN)/inference-exporter rules --output alert_rules
	$(BIN)/inference-exporter config >deploy/exporter.example.yml
	$(BIN)/inference-exporter catalogue >docs/metrics.md
	$(BIN)/inference-exporter config --format markdown >docs/settings.md
	$(BIN)/python docs/excerpt.py
	$(BIN)/python docs/chart.py
	$(BIN)/python docs/openapi.py

golden: $(VENV)/.test ## Write down anew what is exposed, told and recorded (tests/golden, alert_rules/tests/fleet*.test.yml)
	GOLDEN=write $(BIN)/python -m pytest -q tests/test_whole_page.py tests/fleet/test_poller.py tests/alert_rules/test_notifications.py \
		tests/alert_rules/test_fleet.py -k somebody

reliability: $(VENV)/.test ## Inject every fault, the long ones too, and write docs/reliability.md anew (ten minutes)
	RELIABILITY=docs/reliability.md $(BIN)/python -m pytest tests/faults -m fault

pictures: $(VENV)/.pictures build/render/index.html ## Take the README's pictures anew (six minutes)
	@deploy/install-tools chromium prometheus prometheus-alertmanager tmux
	$(BIN)/python docs/pictures.py

dashboards-render: $(VENV)/.demo build/render/index.html ## Draw the dashboards as Grafana would (DURATION=300, or PROMETHEUS=http://... ARGS="--from now-1h")
	@deploy/install-tools chromium prometheus prometheus-alertmanager
	$(BIN)/python dashboards/render/$(if $(PROMETHEUS),render.py --prometheus $(PROMETHEUS),story.py $(if $(DURATION),--duration $(DURATION))) $(ARGS)

dashboards-types: $(VENV)/.test dashboards/render/types/node_modules/.made ## Check the dashboards' panels against Grafana's own types
	node dashboards/render/types/check.mjs dashboards/*.json
	$(BIN)/python -m pytest tests/render/test_types.py -k fault $(ARGS)

format: $(VENV)/.dev ## Format the sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what was made
	rm -rf dashboards/render/node_modules dashboards/render/types/node_modules $(MODELS:%=%/node_modules)
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(COMPILED)/.made: setup.py pyproject.toml $(shell find exporter -name '*.py') | $(VENV)/bin/python
	@deploy/install-tools gcc python3-dev || echo "a C compiler and Python's headers are needed"
	rm -rf $(COMPILED) build/bare build/lib* build/temp* build/bdist* # another build's leftovers would go into this one
	$(BIN)/python -m venv build/bare # as a user has it: what is installed here must not help
	INFERENCE_EXPORTER_COMPILE=1 build/bare/bin/pip install --quiet --disable-pip-version-check --no-deps --target $(COMPILED) .
	@touch $@

# What cannot be installed here is said, and its tests are skipped.
build/servers/%/.made: tests/servers/requirements/%.txt | $(VENV)/bin/python
	$(BIN)/python -m venv --clear build/servers/$*
	build/servers/$*/bin/pip install --quiet --disable-pip-version-check -r $< && touch $@ \
		|| echo "$* cannot be installed: its tests are skipped"

# whylogs does not know the numpy of today.
build/bench-decode/.made: | $(VENV)/bin/python
	$(BIN)/python -m venv --clear build/bench-decode
	build/bench-decode/bin/pip install --quiet --disable-pip-version-check 'numpy<2' 'pandas<3' 'pyarrow<20' 'whylogs[viz]>=1.6' && touch $@ \
		|| echo "whylogs cannot be installed: it is left out"

# Evidently does not know the pandas of today.
build/bench-scores/.made: | $(VENV)/bin/python
	$(BIN)/python -m venv --clear build/bench-scores
	build/bench-scores/bin/pip install --quiet --disable-pip-version-check 'pandas<3' evidently river && touch $@ \
		|| echo "Evidently and river cannot be installed: they are left out"

# For the rows that these bring along; nothing of them is run.
build/bench-evidence/.made: | $(VENV)/bin/python
	$(BIN)/python -m venv --clear build/bench-evidence
	build/bench-evidence/bin/pip install --quiet --disable-pip-version-check --no-deps nannyml river && touch $@ \
		|| echo "nannyml and river cannot be installed: what they bring along is left out"

# The page that draws dashboards, with the libraries in it.
build/render/index.html: dashboards/render/node_modules/.made dashboards/render/bundle.mjs $(shell find dashboards/render/src -name '*.ts*')
	node dashboards/render/bundle.mjs "$(CURDIR)/build/render"

%/node_modules/.made: %/package-lock.json
	@deploy/install-tools nodejs npm
	cd $* && npm ci
	@touch $@

# A marker per set of extras, made again when the dependencies change. python3-venv is a package of its own on
# Debian; where we may, it is installed.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed (PYTHON=python3.12 make ...)"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); deploy/install-tools python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.%: pyproject.toml | $(VENV)/.setuptools
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[$*]'
	@touch $@

# All that it takes where nothing is compiled: no environment is made, with a compiler in it, for each set of extras.
$(VENV)/.setuptools: | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'setuptools>=77'
	@touch $@
