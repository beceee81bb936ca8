# make demo                      the whole toolkit on real pictures: handwritten digits
# make demo DATA=/path/to/tags   the same on your own folder of tag folders
# make check                     the linter and the type checker
# make test                      the linter, then the whole test suite on all cores, the type checker beside it
# make hostile                   every hostile file, archive, model, database; the suite runs a part of these three
# make fuzz                      10,000 seeded mutations of each picture format and of ZIPs, 4,200 odd requests
# make crash                     200 kills at random moments, each followed by a run that must repair what it left
# make bench                     how fast it is, as ratios to its limits; writes benchmarks/results.json
# make screenshots               the README's pictures, of the pages that make demo has written
# make soak                      20,000 mixed requests against the web API
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# A file stays in one process, and with it what its tests share. One thread each: the processes take all cores.
PYTEST := OMP_NUM_THREADS=1 $(RUN) -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: demo check test hostile fuzz crash bench soak screenshots clean

demo: $(VENV)/installed
	$(RUN) demo.py $(if $(DATA),--data "$(DATA)")

check: $(VENV)/installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m mypy

test: $(VENV)/installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m mypy & types=$$!; $(PYTEST); tests=$$?; wait $$types && exit $$tests

hostile: $(VENV)/installed-dev
	$(PYTEST) --full tests/promises/test_hostile_files.py tests/promises/test_hostile_stores.py

fuzz: $(VENV)/installed-dev
	$(PYTEST) --full tests/promises/test_fuzz.py tests/promises/test_stores_by_model.py \
		tests/web_api/test_web_contract.py

crash: $(VENV)/installed-dev
	$(PYTEST) --full tests/promises/test_crashes.py tests/companions/cluster/test_killed_moves.py

bench: $(VENV)/installed
	$(RUN) -m benchmarks

screenshots: $(VENV)/installed-dev
	$(RUN) -m docs.screenshots

soak: $(VENV)/installed
	$(RUN) -m benchmarks.soak

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt $(wildcard companions/*/requirements.txt)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) demo
