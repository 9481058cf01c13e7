// npm run docs: writes the generated parts of the README.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedReadme } from './readme.js';
import { ROOT } from './root.js';

writeFileSync(join(ROOT, 'README.md'), await generatedReadme(ROOT));
