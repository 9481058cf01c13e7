// Appends lines to a digest, as one of several threads or processes: <folder> <name> <lines>
import { DigestWriter } from '@sluice/example-webhooks';

const [folder = '', name = '', lines = '0'] = process.argv.slice(2);
// Small segments, all of them kept: the writers change segments while others write.
const writer = new DigestWriter(folder, { segmentBytes: 50_000, segments: 1_000 });
for (let i = 0; i < Number(lines); i += 1) {
  writer.append({
    task_id: `${name}/${i}`,
    attempt: 1,
    at: '2026-05-20T07:44:10.000Z',
    type: 'default',
    repository: null,
    what: 'x'.repeat(i % 300), // lines of all lengths
    counts: {},
  });
}
writer.close();
