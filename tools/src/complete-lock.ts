// npm run complete-lock: adds to package-lock.json the native bindings of other platforms that npm left out.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { completeLockFile, LOCK_FILE, readLockFile } from './lock-file.js';
import { ROOT } from './root.js';

writeFileSync(join(ROOT, LOCK_FILE), `${JSON.stringify(completeLockFile(readLockFile(ROOT)), null, 2)}\n`);
