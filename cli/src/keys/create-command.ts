import { appendFile, readFile } from 'node:fs/promises';
import { areScopes, describeThrown, digestOfApiKey, newApiKey, parseApiKeys } from '@sluice/contract';
import { Type } from 'typebox';
import { COMMON_EXIT_CODES, defineCommand, flag, usageError } from '../command.js';
import { EXIT } from '../exit-codes.js';

const options = Type.Object({
  name: Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
    allowed: '1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit',
    value: 'name',
    description: 'Whose key it is; unique within the file.',
  }),
  scopes: Type.Refine(
    Type.String({
      allowed: '* or task types with commas between, default for those without a type',
      value: 'types',
      description:
        'What may be sent with it: task types with commas between, `default` for POST /tasks, or `*`.',
    }),
    areScopes,
  ),
  file: Type.Optional(
    Type.String({
      env: 'API_KEYS_FILE',
      minLength: 1,
      value: 'path',
      description: 'File of API keys to which its line is added; made if it is not there.',
    }),
  ),
  json: flag('Print JSON, for programs.'),
});

export const createKeyCommand = defineCommand({
  usage: ['--name <name> --scopes <types> [options]'],
  about: [
    'Prints the key, once: it is kept nowhere, the file holds its SHA-256 only. Engines that run with API_KEYS_FILE take it within a second. Without a file, the line is shown for you to put where your secrets are kept.',
    'A key is taken away by deleting its line. To change one without an interruption, make another under a new name, hand it out, then delete the old line.',
  ],
  options,
  examples: [
    ['sluice keys create --name shop --scopes mail,default --file keys.txt', 'two kinds of tasks'],
    ["sluice keys create --name ops --scopes '*' > ops.key", 'all of them; the line is shown'],
  ],
  exitCodes: [[EXIT.ok, 'made'], ...COMMON_EXIT_CODES.filter(([code]) => code === EXIT.usage)],
  run: async ({ name, scopes, file, json }, _, terminal) => {
    const key = newApiKey();
    const line = `${name} ${scopes} ${digestOfApiKey(key)}`;
    // Before the key is shown: what is shown must work.
    if (file !== undefined) await addLine(file, name, line);
    if (json) {
      terminal.print(JSON.stringify({ name, scopes: scopes.split(','), key, line, ...(file && { file }) }));
      return EXIT.ok;
    }
    terminal.print(key);
    terminal.say(
      file === undefined
        ? `this is the only time it is shown; its line for the file of API_KEYS_FILE:\n${line}`
        : `this is the only time it is shown; added to ${file}: ${name}, for ${scopes}`,
    );
    return EXIT.ok;
  },
});

/** @throws SluiceError `INVALID_OPTIONS` when the file cannot be read or written, or would be wrong then */
async function addLine(file: string, name: string, line: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw cannot(file, error);
  });
  const added = `${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`;
  if (text.split('\n').some((one) => one.trim().split(/\s+/)[0] === name)) {
    throw usageError(`--name is "${name}", which ${file} has already; allowed: any other`);
  }
  try {
    parseApiKeys(text + added);
  } catch (error) {
    throw usageError(`${file}: ${describeThrown(error).message}; nothing was added`);
  }
  await appendFile(file, added).catch((error: unknown) => {
    throw cannot(file, error);
  });
}

function cannot(file: string, error: unknown): Error {
  return usageError(`--file is ${JSON.stringify(file)}: ${describeThrown(error).message}`);
}
