# Every target is one real command; what it needs first is made by the files it names.
# A bare machine needs Python 3.11 or newer, make and git: uv, Go and Node.js come as wheels where they are missing.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

ifndef PYTHON
PYTHON := $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
endif
UV := $(if $(shell uv version 2>/dev/null),$(shell command -v uv),.cache/tools/bin/uv)
TESTS := .venv/bin/python -m tests.run
PAGE := assets/hello_world_16kHz.wav clients/typescript/src/event-parser.ts $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print)
export PATH := $(PATH):$(CURDIR)/.cache/tools/bin
unexport PYTHONDONTWRITEBYTECODE # with it, each start of a service compiles its libraries anew: seconds of a core

.PHONY: help demo extras hooks test lint clients bench lips livekit-server web dist compose-test clean

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /make \1                  /p' Makefile | sed 's/^\(.\{21\}\) */\1/'

demo: .venv/.demo web/dist/index.html ## start everything, speak a greeting, print the page's address (CHECK=1: look and listen, then exit 0 or 1)
	@.venv/bin/mouthpiece demo $(if $(CHECK),--check)

extras: .venv/.extras ## install what needs keys of vendors too: the voices of OpenAI and ElevenLabs, and Anam with its window

hooks: .venv/.all ## set up for a change: everything installed, and `make lint` before each commit
	.venv/bin/pre-commit install

test: .venv/.all web/dist/index.html livekit-server ## run every test that needs no Docker engine (ARGS="-k name" picks some)
	.venv/bin/python -m mouthpiece_sender.demo.page test && $(TESTS) $(ARGS)

lint: .venv/.all ## ruff, mypy and the own checks of the page and of the TypeScript client
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/python -m mouthpiece_sender.demo.page check \
	&& .venv/bin/python -m mouthpiece_sender.demo.page check --web clients/typescript

clients: .venv/.all ## write the OpenAPI document, and the TypeScript client's types from it
	.venv/bin/python clients/describe.py && .venv/bin/python -m mouthpiece_sender.demo.page types --web clients/typescript

bench: .venv/.all web/dist/index.html livekit-server ## measure (FIGURE=name of a file in bench/, ARGS for it)
	.venv/bin/python bench/$(or $(FIGURE),latency).py $(ARGS)

lips: .venv/.all ## train the lip model anew, from Debian's and PyPI's voices (training/README.md)
	$(UV) sync --locked --inexact --all-extras --no-extra bithuman --group training
	.venv/bin/python -m training.lips $(ARGS)

livekit-server: .venv/.demo ## find or build the livekit-server that the demo and the tests use
	@.venv/bin/python -m mouthpiece_sender.demo.livekit_server

web: web/dist/index.html ## build the page

dist: web/dist/index.html ## build the wheel and the source distribution, with the page in both
	rm -rf dist && $(UV) build --quiet --out-dir dist && ls dist

compose-test: .venv/.all ## build the images, bring them up, speak through them; needs a Docker engine
	.venv/bin/pytest -m compose tests/live/compose $(ARGS)

clean: ## remove what the other targets made here (never .env.local, nor what the services stored)
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis dist web/dist web/node_modules clients/typescript/node_modules clients/typescript/build clients/typescript/dist

.venv/pyvenv.cfg: | $(UV)
	$(UV) venv $(if $(PYTHON),--python "$(PYTHON)") .venv

.venv/.demo: pyproject.toml uv.lock | .venv/pyvenv.cfg
	$(UV) sync --locked --inexact --no-dev --extra agents --extra sender --extra avatar --extra offline
	@touch $@

.venv/.extras: pyproject.toml uv.lock | .venv/pyvenv.cfg
	$(UV) sync --locked --inexact --no-dev --all-extras --no-extra bithuman
	@touch $@

.venv/.all: pyproject.toml uv.lock | .venv/pyvenv.cfg
	$(UV) sync --locked --inexact --all-extras --no-extra bithuman
	@touch $@

web/dist/index.html: $(PAGE) .venv/.demo
	.venv/bin/python -m mouthpiece_sender.demo.page build

.cache/tools/bin/uv:
	@test -n "$(PYTHON)" || { echo "Mouthpiece needs Python 3.11 or newer: install it, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "installing uv into .cache/tools"
	@"$(PYTHON)" -m venv --clear .cache/tools >/dev/null 2>&1 && .cache/tools/bin/python -m pip --quiet --disable-pip-version-check install uv==0.13.8 \
	|| "$(PYTHON)" -m pip --quiet --disable-pip-version-check install --target .cache/tools uv==0.13.8 \
	|| { echo "uv could not be installed with $(PYTHON): it needs the venv module or pip (Debian, Ubuntu: apt-get install python3-venv) and a package index it can reach" >&2; exit 1; }
