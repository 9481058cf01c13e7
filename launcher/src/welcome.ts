import type { RunState } from './control.js';
import { withoutPassword } from './redis-url.js';

/** What is shown when all is running: where it is, and a command that works as it stands. */
export function welcome(state: RunState): string {
  return [
    `  intake      ${state.url}/tasks`,
    `  operations  ${state.opsUrl}/health`,
    `  metrics     ${state.opsUrl}/metrics of the engine`,
    `              ${state.consumersOpsUrl}/metrics of the consumers`,
    `  Redis       ${withoutPassword(state.redisUrl)}`,
    '',
    'Send a task:',
    '',
    `  curl -i ${state.url}/tasks -H 'Content-Type: application/json' -d '{"data": {"hello": "world"}}'`,
    '',
  ].join('\n');
}
