import type { Check } from '../facts.js';

export const breakers: Check = {
  name: 'breakers',
  look: ({ queue: { streams, at } }) => {
    const findings = streams.flatMap(({ stream, groups }) =>
      groups.flatMap(({ group, breaker }) => {
        if (breaker === undefined) return [];
        const since = `${Math.round((at - breaker.since) / 1000)} s`;
        return [
          {
            severity: 'warning' as const,
            finding: `most tasks of ${stream} fail in group ${group}: its breaker has been ${breaker.state} for ${since}, opened ${breaker.opens} times; its tasks wait and lose no attempt`,
            remedy:
              'bring back what they depend on, or mend their handler: a few are tried now and then, and it closes by itself when most of them work (the log says why they fail; BREAKER=false if they are to die instead)',
          },
        ];
      }),
    );
    return findings.length > 0 ? findings : [{ severity: 'ok', finding: 'no breaker is open' }];
  },
};
