# make up    install, build, and run Redis, engine and consumers in the background
# make down  end them        make logs  follow them        make clean  end them and delete their data
# make test  all tests       make lint  style, layers, types
# make load  the benchmark             make test-node22  all tests on Node 22 (linux-x64)

SHELL := /bin/sh
LOGS := .data/logs

.PHONY: help up down logs test test-node22 lint load clean build

help:
	@sed -n 's/^# //p' Makefile | head -4

up: build
	@node launcher/dist/main.js up

down:
	@if [ -f launcher/dist/main.js ]; then node launcher/dist/main.js down; else echo 'Sluice does not run'; fi

logs:
	@if [ -f launcher/dist/main.js ]; then node launcher/dist/main.js logs; else echo 'there are no logs yet: make up starts Sluice'; fi

test: build
	@npm test --silent

test-node22: build
	@node tools/dist/with-node22.js npm test --silent

lint: build
	@npm run --silent lint

load: build
	@npm run --silent bench

clean: down
	@rm -rf .data coverage bench/results
	@echo 'deleted .data (queue data, logs), coverage and bench/results'

build: node_modules/.package-lock.json
	@npx --no-install tsc -b

node_modules/.package-lock.json: package-lock.json
	@node -e 'const [major] = process.versions.node.split("."); if (major !== "20" && major !== "22") { console.error(`this is Node $${process.version}; needed: 20 or 22`); process.exit(1); }'
	@mkdir -p $(LOGS)
	@echo 'installing dependencies (log: $(LOGS)/install.log)'
	@npm ci > $(LOGS)/install.log 2>&1 || { tail -n 20 $(LOGS)/install.log; echo 'npm ci failed, see $(LOGS)/install.log'; exit 1; }
	@touch node_modules/.package-lock.json
