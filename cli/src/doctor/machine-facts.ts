import { readFile } from 'node:fs/promises';
import type { MachineFacts, RedisFacts } from './facts.js';

/** Looks at the kernel's settings, when the server that was asked runs on this machine. */
export async function gatherMachineFacts(
  url: string,
  { info }: RedisFacts,
): Promise<MachineFacts | undefined> {
  const pid = info.get('process_id');
  if (!isLoopback(url) || pid === undefined) return undefined;
  // A loopback address can also be a tunnel or a published port of a container.
  const name = await read(`/proc/${pid}/comm`);
  if (name === undefined || !/redis|valkey/.test(name)) return undefined;
  const hugepages = await read('/sys/kernel/mm/transparent_hugepage/enabled');
  return {
    overcommitMemory: await read('/proc/sys/vm/overcommit_memory'),
    transparentHugepages: hugepages?.match(/\[(\w+)\]/)?.[1],
    somaxconn: numberOf(await read('/proc/sys/net/core/somaxconn')),
    redisOpenFiles: openFiles(await read(`/proc/${pid}/limits`)),
    ownOpenFiles: openFiles(await read('/proc/self/limits')),
  };
}

function isLoopback(url: string): boolean {
  const hostname = URL.canParse(url) ? new URL(url).hostname : '';
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}

async function read(path: string): Promise<string | undefined> {
  return (await readFile(path, 'utf8').catch(() => undefined))?.trim();
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || Number.isNaN(Number(text)) ? undefined : Number(text);
}

/** The soft limit; "unlimited" is no limit. */
function openFiles(limits: string | undefined): number | undefined {
  return numberOf(limits?.match(/^Max open files\s+(\S+)/m)?.[1]);
}
