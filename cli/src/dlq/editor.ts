import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceError } from '@sluice/contract';

/**
 * Has a person edit text in their editor. Resolves with the text as it was saved.
 *
 * @param command `$EDITOR`, which may have arguments: `code --wait`
 * @throws SluiceError `INVALID_OPTIONS` when there is no editor, or it ends with an error
 */
export async function editInEditor(command: string | undefined, text: string): Promise<string> {
  if (command === undefined || command === '') {
    throw new SluiceError('INVALID_OPTIONS', '--edit: neither $VISUAL nor $EDITOR says which editor to open');
  }
  // Only for us: payloads can be confidential.
  const folder = await mkdtemp(join(tmpdir(), 'sluice-edit-'));
  const file = join(folder, 'payload.json');
  try {
    await writeFile(file, text, { mode: 0o600 });
    const exit = await run(command, file);
    if (exit !== 0) throw new SluiceError('INVALID_OPTIONS', `--edit: ${command} ended with ${exit}`);
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(command: string, file: string): Promise<number | string> {
  return new Promise((resolve) => {
    // The variable is a shell command by custom; the file is passed beside it, not as part of it.
    const child = spawn('/bin/sh', ['-c', `${command} "$1"`, 'editor', file], { stdio: 'inherit' });
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code ?? String(signal)));
  });
}
