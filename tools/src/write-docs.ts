// npm run docs: writes the generated parts of the README, and docs/metrics.md.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRICS_PAGE, metricsPage } from './metrics-page.js';
import { generatedReadme } from './readme.js';
import { ROOT } from './root.js';

writeFileSync(join(ROOT, 'README.md'), await generatedReadme(ROOT));
writeFileSync(join(ROOT, METRICS_PAGE), await metricsPage(ROOT));
