# Python 3.11 or newer is all that has to be there; everything else goes into .venv.
PYTHON = $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
BIN = .venv/bin

.PHONY: help run test check format benchmark lock clean

help:
	@echo 'make run     prepare the database, load the seed data and serve on HOST:PORT'
	@echo 'make test    run the tests; ARGS="-k name" is handed to pytest'
	@echo 'make check   formatting, lint, types, architecture, dependencies'
	@echo 'make format  put the formatting right'
	@echo 'make benchmark  measure and write docs/performance.md; ARGS="--rows 100000 --only G1,G3"'
	@echo 'make lock    resolve the dependencies anew; ARGS=--upgrade takes newer ones'
	@echo 'make clean   remove .venv and caches; the data in var/ stay'
	@echo
	@echo 'Settings come from the environment or the command line, as in: make run PORT=9000'

run: .venv/requirements.lock
	@echo 'Bringing the database to the current schema'
	@$(BIN)/ceasefire migrate
	@echo 'Loading the seed data (what is there already stays as it is)'
	@$(BIN)/ceasefire seed
	@echo 'Looking for an API key'
	@$(BIN)/ceasefire keys create --if-none
	@echo 'Looking for the key that signs the ledger'
	@$(BIN)/ceasefire ledger key --if-none
	@echo 'Serving; Ctrl-C stops'
	@exec $(BIN)/ceasefire serve

test: .venv/requirements-dev.lock
	-@bin/browser
	@$(BIN)/python -m pytest $(ARGS)

check: .venv/requirements-dev.lock
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry service migrations
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: .venv/requirements-dev.lock
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: .venv/requirements-benchmark.lock
	@$(BIN)/python -m benchmarks --write docs/performance.md $(ARGS)

lock: | .venv/bin/pip
	bin/lock $(ARGS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

# A copy of the list inside .venv says what was installed last, so that a second run needs no network.
# Compiled at once: where Python is told to write nothing, every command would compile all it imports.
.venv/%.lock: %.lock pyproject.toml | .venv/bin/pip
	@echo 'Installing $<'
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $< \
		|| $(BIN)/pip install --quiet --require-hashes -r $<
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q service
	@cp $< $@

.venv/bin/pip:
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed.' >&2; exit 1; }
	@echo 'Creating .venv with $(PYTHON)'
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo 'On Debian and Ubuntu: sudo apt-get install python3-venv' >&2; exit 1; }
	@$(BIN)/pip install --quiet uv || echo 'uv cannot be installed here; pip takes its place.'
