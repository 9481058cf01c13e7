// npm run chart -- <results.json> [chart.svg]: draws the chart of the README from what npm run bench -- peers has found.
import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from '../program.js';
import { type ChartedResults, peersChart } from './peers-chart.js';

const OF_README = fileURLToPath(new URL('../../../docs/peers.svg', import.meta.url));

const [results, chart = OF_README] = process.argv.slice(2);
if (results === undefined) {
  console.log('npm run chart -- <results.json> [chart.svg; default docs/peers.svg]');
} else {
  try {
    const read = JSON.parse(readFileSync(results, 'utf8')) as ChartedResults; // written by results.ts
    writeFileSync(chart, peersChart(read));
    console.log(`wrote ${relative(process.cwd(), chart)}`);
  } catch (error) {
    fail(error);
  }
}
