/** What a package may import of ours, and why no more. */
export interface LayerRule {
  /** Packages it may import, by directory. */
  may: readonly string[];
  /** What its tests may import besides. */
  testsMay?: readonly string[];
  because: string;
}

/** The layers of Sluice by directory. See docs/decisions/0001-packages-and-layers.md. */
export const LAYER_RULES: Readonly<Record<string, LayerRule>> = {
  contract: {
    may: [],
    because: 'it is what both ends of the stream agree on: whatever it imported, everybody would depend on',
  },
  telemetry: {
    may: ['contract'],
    because: 'it listens to events: it must not know who sends them, or intake and telemetry grow together',
  },
  engine: {
    may: ['contract', 'telemetry'],
    because:
      'engine and consumers meet in the stream only, so that each is installed, scaled and replaced alone',
  },
  consumers: {
    may: ['contract', 'telemetry'],
    because:
      'a program that embeds consumers must not install uWebSockets.js or anything else of the HTTP intake',
  },
  client: {
    may: [],
    because:
      'it runs in browsers, too, and knows Sluice by HTTP only: it must install nothing and import nothing',
  },
  cli: {
    may: ['contract'],
    // What it audits must have been settled by real consumers.
    testsMay: ['consumers'],
    because:
      'it looks at a queue from outside, through Redis only: it must tell the truth about any consumer',
  },
  launcher: {
    may: ['contract'],
    because: 'it starts programs as processes, as a user would: it must not know what is inside them',
  },
  testbed: {
    may: ['contract', 'launcher'],
    because: 'it starts the real programs from outside: importing them would test something nobody runs',
  },
  bench: {
    may: ['contract', 'telemetry', 'engine', 'consumers', 'testbed'],
    because: 'it measures what a user gets, through public doors',
  },
  'examples/webhooks': {
    may: ['contract', 'telemetry', 'engine', 'consumers'],
    because: 'an example may use published packages only: a reader must be able to copy it out of here',
  },
  test: {
    may: ['contract', 'telemetry', 'engine', 'consumers', 'testbed', 'examples/webhooks'],
    because:
      'it runs everything together as a user would: nothing imports it, and it needs no inside of anything',
  },
  torture: {
    may: ['contract', 'telemetry', 'engine', 'consumers', 'testbed'],
    because: 'it puts everything together under fire as a user would run it: nothing imports it',
  },
  tools: {
    may: ['contract'],
    because: 'tools look at the other packages as files: they must work while one of those does not build',
  },
};

/** What tests may import besides: nothing that ships depends on them. */
export const TESTS_MAY_ALSO: readonly string[] = ['testbed'];

/** Packages whose library code may read the environment, with the reason. */
export const READS_ENVIRONMENT: Readonly<Record<string, string>> = {
  testbed: 'tests have no main.ts: it finds redis-server for them as their environment says',
  tools: 'each tool is a command of its own',
  'examples/webhooks': 'handlers are loaded by a consumer, which has no options of theirs to pass on',
};

export const RULES = {
  unknownLayer:
    'this package has no layer rule: say in tools/src/layer-rules.ts what it may import, and why no more',
  deepImport: 'only what package.json exports is a promise; the files behind the door move without notice',
  acrossPackages:
    'a relative path into another package goes round its door, and breaks once packages are installed apart',
  ownDoor:
    'a file that imports its own package by name imports itself through the barrel: name the file instead',
  environment:
    'only main.ts reads the environment: a library configured behind its caller cannot be embedded twice or tested',
  circular:
    'files that import each other cannot be read, tested or moved one at a time: move what both need into a third',
} as const;
