import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BenchOptions, helpText, readCommandLine } from './options.js';

const KNOWN = ['saturation', 'constant-rate'];

function optionsOf(...args: string[]): BenchOptions {
  const command = readCommandLine(args, KNOWN);
  assert.ok(!command.help);
  return command.options;
}

function scenariosOf(...args: string[]): readonly string[] {
  const command = readCommandLine(args, KNOWN);
  assert.ok(!command.help);
  return command.scenarios;
}

test('without arguments runs every scenario with the defaults', () => {
  assert.deepEqual(scenariosOf(), KNOWN);
  const { rounds, seconds, connections, loads, persistent } = optionsOf();
  assert.deepEqual(
    { rounds, seconds, connections, loads, persistent },
    { rounds: 5, seconds: 5, connections: [64, 8], loads: [0.5], persistent: false },
  );
});

test('takes options in both spellings, and lists', () => {
  const { rounds, seconds, connections, loads, persistent } = optionsOf(
    ...['--rounds', '3', '--seconds=2', '--connections', '8,64,512', '--loads=0.5,.9,1.1', '--persistent'],
  );
  assert.deepEqual(
    { rounds, seconds, connections, loads, persistent },
    { rounds: 3, seconds: 2, connections: [8, 64, 512], loads: [0.5, 0.9, 1.1], persistent: true },
  );
});

test('runs the scenarios that are named, saturation first because the other goes by it', () => {
  assert.deepEqual(scenariosOf('constant-rate'), ['constant-rate']);
  assert.deepEqual(scenariosOf('constant-rate', 'saturation'), KNOWN);
});

test('runs all scenarios that begin with the name before a dash', () => {
  const known = [...KNOWN, 'consumers-throughput', 'consumers-latency'];
  const command = readCommandLine(['consumers'], known);
  assert.ok(!command.help);
  assert.deepEqual(command.scenarios, ['consumers-throughput', 'consumers-latency']);
  assert.throws(() => readCommandLine(['consum'], known), /consum is no scenario/);
});

test('tells what was given from what is default', () => {
  const command = readCommandLine(['--rounds', '5', '--persistent'], KNOWN);
  assert.ok(!command.help);
  assert.deepEqual(command.given, { rounds: 5, persistent: true });
});

test('names every wrong option with its value and what is allowed, all at once', () => {
  assert.throws(() => readCommandLine(['--rounds', '0', '--connections', '64;8', '--loads', '0'], KNOWN), {
    code: 'INVALID_OPTIONS',
    message: [
      '--rounds is 0; allowed: a whole number from 1 to 100',
      '--connections is "64;8"; allowed: whole numbers from 1 to 9999 with commas between',
      '--loads is "0"; allowed: numbers above 0 and below 2 with commas between',
    ].join('\n'),
  });
});

test('refuses options and scenarios that there are not', () => {
  assert.throws(() => readCommandLine(['--round', '3'], KNOWN), /--round/);
  assert.throws(() => readCommandLine(['satiation'], KNOWN), {
    message: 'satiation is no scenario; allowed: saturation, constant-rate',
  });
});

test('the help names each scenario and option', () => {
  assert.deepEqual(readCommandLine(['--help'], KNOWN), { help: true });
  const help = helpText([{ name: 'saturation', question: 'How many?' }]);
  assert.match(help, /^ {2}saturation +How many\?$/m);
  assert.match(help, /^ {2}--rounds +Rounds; .* \[a whole number from 1 to 100; default 5\]$/m);
  assert.match(help, /^ {2}--persistent +Redis writes/m);
});
