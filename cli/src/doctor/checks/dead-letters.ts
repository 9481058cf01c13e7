import { plural } from '../../printable.js';
import type { Check } from '../facts.js';

const MANY = 1000;
const OLD_MS = 7 * 86_400_000;

export const deadLetters: Check = {
  name: 'dead letters',
  look: ({ queue: { deadLetters: letters, at } }) => {
    if (letters.length === 0) return [{ severity: 'ok', finding: 'none' }];
    const ageMs = letters.oldest === undefined ? 0 : at - letters.oldest;
    const finding = `${plural(letters.length, 'dead letter')}, the oldest ${age(ageMs)} old`;
    const isMuch = letters.length >= MANY || ageMs >= OLD_MS;
    return [
      {
        severity: isMuch ? 'warning' : 'note',
        finding: isMuch ? `${finding}: nothing removes them but you` : finding,
        remedy:
          'sluice dlq list shows why; sluice dlq retry when it is fixed, sluice dlq purge when it does not matter',
      },
    ];
  },
};

function age(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
}
