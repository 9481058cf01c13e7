# make up      install, build, and run Redis, engine and consumers in the background
# make down    end them; what is queued is kept
# make logs    follow their logs
# make lint    style, layers, types
# make test    all tests (make test-node22: on Node 22, on linux-x64, without the negative controls)
# make load    the benchmark
# make clean   end what runs, delete what is queued, the logs and the results

SHELL := /bin/sh
LOGS := .data/logs

.PHONY: help up down logs test test-node22 lint load clean build node redis

help:
	@sed -n 's/^# make/make/p' Makefile

up: build
	@node launcher/dist/main.js up

down:
	@if [ -f launcher/dist/main.js ]; then node launcher/dist/main.js down; else echo 'Sluice does not run'; fi

logs:
	@if [ -f launcher/dist/main.js ]; then node launcher/dist/main.js logs; else echo 'there are no logs yet: make up starts Sluice'; fi

test: redis
	@npm test --silent

test-node22: redis
	@node tools/dist/with-node22.js npm test --silent -- --no-coverage --no-controls

lint: build
	@npm run --silent lint

load: redis
	@npm run --silent bench

clean: down
	@rm -rf .data coverage bench/results
	@echo 'deleted .data (what was queued, logs), coverage and bench/results'

# Once for all tests: a machine without Redis then says so in one line, not in every test.
redis: build
	@node launcher/dist/main.js redis

# The compiler itself, not through npx, which repeats every warning npm has about the settings of the machine.
build: node node_modules/.package-lock.json
	@node_modules/.bin/tsc -b

node:
	@node -e 'const [major, minor] = process.versions.node.split(".").map(Number); if (major !== 22 && !(major === 20 && minor >= 12)) { console.error(`this is Node $${process.version}; needed: 20, from 20.12, or 22`); process.exit(1); }'

# Written by npm at the end of an installation: older than package-lock.json means out of date.
node_modules/.package-lock.json: package-lock.json
	@mkdir -p $(LOGS)
	@echo 'installing dependencies (log: $(LOGS)/install.log)'
	@npm ci > $(LOGS)/install.log 2>&1 || { tail -n 5 $(LOGS)/install.log; echo 'npm ci failed; see $(LOGS)/install.log'; exit 1; }
	@touch node_modules/.package-lock.json
	@echo 'building'
