// npm run pin-uws: pins the native binaries of the installed uWebSockets.js. Review the diff before committing it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.js';
import { pinnedListOf, readInstalledUws, UWS_DIRECTORY, UWS_LIST } from './uws-binaries.js';

writeFileSync(join(ROOT, UWS_LIST), pinnedListOf(readInstalledUws(join(ROOT, UWS_DIRECTORY))));
