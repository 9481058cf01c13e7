import { resolve } from 'node:path';
import { DEFAULT_DIGEST_DIR } from '../digest/digest-folder.js';
import { DigestReader } from '../digest/digest-reader.js';
import { Activity } from './activity.js';

const SHOWN = 20;

// npm runs us in the package's folder; INIT_CWD is where the user typed.
const given = process.argv[2] ?? process.env.DIGEST_DIR;
const folder = given ? resolve(process.env.INIT_CWD ?? '.', given) : DEFAULT_DIGEST_DIR;

const activity = new Activity();
await new DigestReader(folder).read((line) => activity.add(line));

const repositories = activity.repositories();
if (repositories.length === 0) console.log(`no digest in ${folder} yet`);
for (const [repository, { events, counts }] of repositories.slice(0, SHOWN)) {
  const told = Object.entries(counts).map(([counter, count]) => `${counter.replaceAll('_', ' ')} ${count}`);
  console.log(`${repository.padEnd(40)} ${String(events).padStart(8)} events   ${told.join(', ')}`);
}
if (repositories.length > SHOWN) console.log(`and ${repositories.length - SHOWN} repositories more`);
if (activity.repeats > 0) {
  console.log(`${activity.repeats} lines came from tasks that ran more than once: counted once`);
}
