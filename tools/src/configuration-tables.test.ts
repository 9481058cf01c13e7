import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Type } from 'typebox';
import { configurationTables, replaceSection } from './configuration-tables.js';

const redisUrl = Type.String({ env: 'REDIS_URL', default: 'redis://localhost', description: 'Which Redis.' });
const port = Type.Integer({ env: 'PORT', minimum: 1, maximum: 9, default: 8, description: 'Where.' });
const name = Type.String({ env: 'NAME', default: 'sluice', description: 'Who.' });
const mode = Type.Union([Type.Literal('a'), Type.Literal('b')], { description: 'One | the other.' });

describe('configurationTables', () => {
  it('names what all packages share once, then what each has of its own', () => {
    const tables = configurationTables([
      { heading: 'Engine', library: [Type.Object({ redisUrl, port })], program: [Type.Object({ name })] },
      { heading: 'Consumers', library: [Type.Object({ redisUrl }), Type.Object({ mode })], program: [] },
    ]);
    const head = '| Variable | Option | Default | Allowed | Meaning |\n|---|---|---|---|---|';
    assert.equal(
      tables,
      [
        `### Engine and Consumers\n\n${head}\n| \`REDIS_URL\` | \`redisUrl\` | \`redis://localhost\` | text | Which Redis. |\n`,
        `### Engine\n\n${head}\n| \`PORT\` | \`port\` | \`8\` | a whole number from 1 to 9 | Where. |\n| \`NAME\` |  | \`sluice\` | text | Who. |\n`,
        `### Consumers\n\n${head}\n|  | \`mode\` |  | a, b | One \\| the other. |\n`,
      ].join('\n'),
    );
  });

  it('refuses a schema without options', () => {
    assert.throws(
      () => configurationTables([{ heading: 'Engine', library: [Type.Object({})], program: [] }]),
      /Engine has no/,
    );
  });
});

describe('replaceSection', () => {
  const document = 'before\n<!-- a: written by npm run docs -->\nold\n<!-- /a -->\nafter\n';

  it('replaces what stands between the markers and leaves the rest', () => {
    const once = replaceSection(document, 'a', 'new\n');
    assert.equal(once, 'before\n<!-- a: written by npm run docs -->\n\nnew\n\n<!-- /a -->\nafter\n');
    assert.equal(replaceSection(once, 'a', 'new\n'), once);
  });

  it('refuses a document without the markers', () => {
    assert.throws(() => replaceSection(document, 'b', 'new'), /no section between/);
  });
});
