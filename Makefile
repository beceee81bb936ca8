# make demo                      the whole toolkit on real pictures: handwritten digits
# make demo DATA=/path/to/tags   the same on your own folder of tag folders
# make test                      the whole test suite
# make bench                     how fast it is, as ratios to its limits; writes benchmarks/results.json
# make soak                      20,000 mixed requests against the web API
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: demo test bench soak clean

demo: $(VENV)/installed
	$(RUN) demo.py $(if $(DATA),--data "$(DATA)")

test: $(VENV)/installed-dev
	$(RUN) -m ruff check .
	$(RUN) -m pytest

bench: $(VENV)/installed
	$(RUN) -m benchmarks

soak: $(VENV)/installed
	$(RUN) -m benchmarks.soak

$(VENV)/installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) demo
