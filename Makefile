# make demo and make test first install everything into .venv, at the exact versions of requirements.lock.

PYTHON ?= python3
VENV ?= .venv
LOCK ?= requirements.lock
FOLDER ?= .demo
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# uv also accepts the certificates that this machine trusts, such as those of a company.
export UV_SYSTEM_CERTS ?= 1
export UV_NATIVE_TLS ?= 1

# The tests run in many processes. Without .pyc files each process would compile the tests again.
unexport PYTHONDONTWRITEBYTECODE

# Tests mostly wait for servers and processes.
WORKERS ?= 4
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder

# These take minutes. Shorter tests cover all but their last step, so CI leaves them out. Run them before a release.
LONG := tests/deployments/test_notifications.py::test_a_nightly_run_that_does_not_come_is_missed \
	tests/deployments/test_approval.py::test_a_film_that_is_declined_buys_nothing \
	tests/deployments/test_approval.py::test_an_answer_that_cannot_be_used_shows_the_form_again \
	tests/deployments/test_approval.py::test_a_run_that_no_deployment_began_cannot_wait \
	tests/examples/test_examples.py::test_prompts_and_report_lie_in_the_bucket \
	tests/flows/cli/test_cli_demo.py::test_other_commands_use_the_servers_of_a_kept_demo \
	tests/deployments/test_unattended.py::test_a_batch_is_shared_by_workers \
	tests/browser/test_prefect_ui.py::test_a_video_is_made_from_its_form \
	tests/deployments/test_paused_nightly.py::test_prefect_turns_it_on_by_the_commands_of_the_page \
	tests/docs/test_website.py::test_a_broken_link_fails_the_build \
	tests/examples/test_examples.py::test_each_video_is_bought_once[dask_map.py-4] \
	tests/examples/test_examples.py::test_each_video_is_bought_once[async_flow.py-3] \
	tests/flows/cli/test_cli_demo.py::test_the_demo_twice \
	tests/flows/cli/test_cli_film.py::test_a_storyboard_that_is_too_large_for_a_run \
	tests/flows/cli/test_cli_runs.py::test_more_requests_than_a_prefect_server_takes \
	tests/flows/cli/test_cli_folder.py::test_a_request_has_one_id_in_a_bucket_and_in_a_folder \
	tests/flows/cli/test_cli_folder.py::test_the_monthly_limit_holds_in_a_folder \
	tests/public/test_stopped.py::test_mapped_over_processes_of_dask \
	tests/wheel/test_wheel.py::test_a_user_sees_types \
	tests/wheel/test_wheel.py::test_serve_makes_a_video

.PHONY: help demo docs lint test test-all test-long test-core test-ends test-run chaos faults scale bench screenshots install lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo         runs the whole pipeline on this machine, without any account"
	@echo "make demo KEEP=1  the same, and keeps the servers running until Ctrl-C, so that you can look around"
	@echo "make demo FILM=1  makes a film of four shots instead, in less than a minute"
	@echo "make lint         runs ruff and mypy"
	@echo "make test         runs ruff, mypy and all tests but the slow ones (WORKERS=4 processes)"
	@echo "make test-all     also runs the slow tests: deployments, the demo, Prefect's UI, kills; CI runs this"
	@echo "make test-long    runs the longest tests, and generated tests with new examples; run it before a release"
	@echo "make chaos        kills commands at any point for ROUNDS=30 rounds, and compares the bill with the archive (SEED=, JOBS=, ARCHIVE=folder, FILM=1)"
	@echo "make faults       runs the tests of faults, and writes docs/faults.md from what they find"
	@echo "make scale        makes VIDEOS=300 videos with three workers, PostgreSQL and Redis, and kills one worker"
	@echo "make docs         builds the website into site/; any warning or broken link fails"
	@echo "make screenshots  takes the pictures in docs/screenshots again, with Chromium"
	@echo "make bench        runs all benchmarks, compares them with their goals, and writes benchmarks/results (half an hour)"
	@echo "make test-core    runs only the tests of what a run needs, for another Python: PYTHON=python3.13 VENV=.venv-3.13"
	@echo "make lock         updates the lock files from pyproject.toml"
	@echo "make clean        removes .venv, .demo and caches"

install: $(INSTALLED)

# uv installs in seconds what takes pip minutes. If this machine has no uv, pip installs it into .venv.
$(INSTALLED): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@echo "Installing into $(VENV) from $(LOCK): less than a minute with uv and a warm cache, else a few …" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@command -v uv >/dev/null 2>&1 || test -x $(BIN)/uv || $(BIN)/python -m pip install -qq --disable-pip-version-check uv
	@PATH="$$PATH:$(CURDIR)/$(BIN)" VIRTUAL_ENV="$(CURDIR)/$(VENV)" uv pip install -q -r $(LOCK)
	@PATH="$$PATH:$(CURDIR)/$(BIN)" VIRTUAL_ENV="$(CURDIR)/$(VENV)" uv pip install -q --no-deps --no-build-isolation -e .
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/together-video demo --folder $(FOLDER) $(if $(KEEP),--keep) $(if $(FILM),--film)

docs: $(INSTALLED)
	@NO_MKDOCS_2_WARNING=1 PYTHONPATH=. $(BIN)/python -m mkdocs build --quiet --strict

lint: $(INSTALLED)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --explicit-package-bases docs/reference examples

test: lint
	@$(PYTEST)

test-all: lint
	@$(PYTEST) -m "" $(addprefix --deselect ,$(LONG))

test-long: lint
	@$(PYTEST) -m "" $(LONG)
	@NEW_EXAMPLES=1 $(PYTEST) tests/together_video tests/contract tests/test_foreign_bytes.py

# The tests of what a run needs, for another Python and for the oldest dependencies.
BATCH := tests/flows/cli/test_cli_runs.py::test_fifty_videos_at_once_and_again
STEPS := $(addprefix tests/public/test_public_tasks.py::test_,each_step_in_a_sync_flow each_step_in_an_async_flow \
	submitted_and_mapped an_async_name_in_a_sync_flow_is_an_error)
# pydantic and Prefect decide what the forms look like.
FORMS := tests/flows/test_forms.py tests/flows/forms

test-core: $(INSTALLED)
	@$(PYTEST) -m "" tests/together_video tests/blocks tests/tasks $(FORMS) $(BATCH) $(STEPS)

test-ends: $(INSTALLED)
	@$(PYTEST) -m "" tests/blocks tests/tasks $(FORMS) $(BATCH) $(STEPS)

# For a Python between the oldest and the newest.
test-run: $(INSTALLED)
	@$(PYTEST) -m "" tests/tasks $(FORMS) $(BATCH) $(STEPS)

chaos: $(INSTALLED)
	@$(BIN)/python -m tests.chaos --demo --rounds $(or $(ROUNDS),30) $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS)) $(if $(ARCHIVE),--archive $(ARCHIVE)) $(if $(FILM),--film)

faults: $(INSTALLED)
	@WRITE_FAULTS=1 $(BIN)/pytest -o addopts="-q --import-mode=importlib" tests/faults

# It needs PostgreSQL and Redis: apt-get install postgresql redis-server
scale: $(INSTALLED)
	@$(BIN)/python -m tests.scale --videos $(or $(VIDEOS),300)

# It needs Chromium: apt-get install chromium chromium-driver
screenshots: $(INSTALLED)
	@$(BIN)/python -m docs.make_screenshots

bench: $(INSTALLED)
	@$(BIN)/python -m benchmarks

# The oldest dependencies are the lower bounds of pyproject.toml. The newest are those that work together. The SDK and the
# linters are left out, because they need older releases of some.
COMPILE := PATH="$$PATH:$(CURDIR)/$(BIN)" uv pip compile -q --no-header --no-annotate --upgrade pyproject.toml
lock: $(INSTALLED)
	@$(COMPILE) --all-extras --universal --python-version 3.11 -o requirements.lock
	@$(COMPILE) --python-version 3.11 --resolution lowest-direct -o $(VENV)/lowest.txt
	@$(COMPILE) --python-version 3.11 --extra test --constraints $(VENV)/lowest.txt -o requirements-lowest.lock
	@$(COMPILE) --python-version 3.13 --extra test -o requirements-newest.lock

clean:
	rm -rf .venv .venv-* .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
