import { isUtf8 } from 'node:buffer';

/** One step on the way of a body, or another way to do it. */
export interface Stage {
  readonly name: string;
  run(body: Buffer): unknown;
}

const MAX_DEPTH = 128;

/** The steps as the engine takes them. Its modules are found by the name of the package: they are no doors of it. */
export async function stages(): Promise<readonly Stage[]> {
  const { isPlainEnvelope } = (await fromEngine('body/json-scan.js')) as {
    isPlainEnvelope(bytes: Uint8Array, maxDepth: number): boolean;
  };
  const { decodeBody } = (await fromEngine('body/decode.js')) as {
    decodeBody(bytes: Buffer, contentType: string, maxDepth: number): unknown;
  };
  const { AppendBuffer } = (await fromEngine('append/append-buffer.js')) as {
    AppendBuffer: new () => { bytes(bytes: Uint8Array): void; take(): { release(): void } };
  };
  const buffer = new AppendBuffer();
  return [
    { name: 'a copy', run: (body) => Buffer.from(body) },
    { name: 'UTF-8 checked', run: (body) => isUtf8(body) },
    { name: 'known to be plain (no schema)', run: (body) => isPlainEnvelope(body, MAX_DEPTH) },
    { name: 'parsed, nothing else', run: (body) => JSON.parse(body.toString()) },
    { name: 'decoded (with a schema)', run: (body) => decodeBody(body, 'application/json', MAX_DEPTH) },
    {
      name: 'put into the batch, and taken out',
      run: (body) => {
        buffer.bytes(body);
        buffer.take().release();
      },
    },
  ];
}

function fromEngine(file: string): Promise<unknown> {
  return import(new URL(`./${file}`, import.meta.resolve('@sluice/engine')).href);
}
