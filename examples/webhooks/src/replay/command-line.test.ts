import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveOptions } from '@sluice/contract';
import { readCommandLine, usage } from './command-line.js';
import { replayOptions } from './options.js';

describe('readCommandLine', () => {
  it('reads folder, numbers, texts and switches', () => {
    const command = readCommandLine(
      'bodies --times 50 --connections 8 --digest-dir d --no-type-by-event --allow-dead'.split(' '),
    );
    assert.deepEqual(command.options, {
      folder: 'bodies',
      times: 50,
      connections: 8,
      digestDir: 'd',
      typeByEvent: false,
    });
    assert.deepEqual(command.tolerate, { dead: true, refused: false });
  });

  it('leaves everything else to the defaults', () => {
    const { options } = readCommandLine([]);
    assert.deepEqual(options, {});
    const resolved = resolveOptions(replayOptions, options);
    assert.equal(resolved.times, 1);
    assert.match(resolved.folder, /sample-bodies$/);
    assert.match(resolved.digestDir, /\.data[/\\]digest$/);
  });

  it('leaves what is no number for the check of the options to show', () => {
    const { options } = readCommandLine(['--times', 'many']);
    assert.throws(() => resolveOptions(replayOptions, options), /times is "many"; allowed: a whole number/);
  });

  it('refuses flags it does not know and a second folder', () => {
    assert.throws(() => readCommandLine(['--tmies', '3']), { code: 'INVALID_OPTIONS' });
    assert.throws(() => readCommandLine(['one', 'two']), /one folder at a time/);
  });

  it('explains every option', () => {
    for (const flag of ['--times <n>', '--url <text>', '--[no-]type-by-event', '--allow-dead']) {
      assert.ok(usage().includes(flag), flag);
    }
    assert.doesNotMatch(usage(), /undefined/);
  });
});
