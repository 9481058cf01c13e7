import { type ConsumerListener, spanDestinationOf, TaskTraces } from '@sluice/telemetry';
import type { ResolvedOptions } from '../options.js';
import { VERSION } from '../version.js';

/** Name of the service in its spans when it has none. */
const SERVICE_NAME = 'sluice-consumers';

/** What makes spans of the tasks of a consumer; nothing where the options name nobody who receives them. */
export function tracesOf(
  options: ResolvedOptions,
  threads: number,
  processName: string,
  report: ConsumerListener,
): TaskTraces | undefined {
  const destination = spanDestinationOf(options);
  if (destination === undefined) return undefined;
  const serviceName = options.traceServiceName ?? SERVICE_NAME;
  return new TaskTraces({
    destination,
    threads,
    source: {
      serviceName,
      resource: { 'service.name': serviceName, 'service.instance.id': processName },
      scope: { name: '@sluice/consumers', version: VERSION },
    },
    onDropped: ({ count, reasons }) => report({ type: 'spans-dropped', count, reasons }),
    onError: (error) => report({ type: 'internal-error', where: 'the thread of the spans', error }),
  });
}
