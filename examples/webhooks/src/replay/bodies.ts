import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_TASK_TYPE, SluiceError } from '@sluice/contract';
import taskTypes from '../schemas.js';

/** A file, ready to be sent any number of times. */
export interface Body {
  readonly fileName: string;
  /** Task type it is sent as. */
  readonly type: string;
  /** Path of the intake for that type. */
  readonly path: string;
  readonly bytes: Buffer;
}

const SCHEMA_NAMES = new Set(taskTypes.map((taskType) => taskType.name));

/**
 * The .json files of a folder as request bodies: `{"data": <the file, byte for byte>, "metadata": {"event":
 * <its name>}}`. The files are not parsed: what is wrong with one is the intake's to say.
 *
 * @throws SluiceError `INVALID_OPTIONS` when the folder cannot be read or holds no .json file.
 */
export async function readBodies(folder: string, typeByEvent: boolean): Promise<Body[]> {
  let names: string[];
  try {
    names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  } catch (cause) {
    throw new SluiceError('INVALID_OPTIONS', `folder ${folder} cannot be read`, { cause });
  }
  if (names.length === 0) throw new SluiceError('INVALID_OPTIONS', `folder ${folder} has no .json file`);
  return Promise.all(
    names.map(async (name) => bodyOf(name, await readFile(join(folder, name)), typeByEvent)),
  );
}

export function bodyOf(fileName: string, file: Buffer, typeByEvent: boolean): Body {
  const type = typeByEvent ? typeOf(fileName) : DEFAULT_TASK_TYPE;
  return {
    fileName,
    type,
    path: type === DEFAULT_TASK_TYPE ? '/tasks' : `/tasks/${type}`,
    bytes: Buffer.concat([
      Buffer.from('{"data":'),
      file,
      Buffer.from(`,"metadata":{"event":${JSON.stringify(fileName)}}}`),
    ]),
  };
}

/** `github.check_run` for `check_run.completed.1.payload.json`; `default` for events without a schema. */
export function typeOf(fileName: string): string {
  const type = `github.${fileName.split('.', 1)[0]}`;
  return SCHEMA_NAMES.has(type) ? type : DEFAULT_TASK_TYPE;
}
