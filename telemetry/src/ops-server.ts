import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { SluiceError } from '@sluice/contract';
import { METRICS_CONTENT_TYPE } from './metrics/exposition.js';

export interface OpsServerOptions {
  host: string;
  port: number;
  /** Answered with 200 if it is `healthy`, else with 503. */
  health: () => { readonly status: string };
  /** All figures, in the text format of Prometheus. */
  metrics: () => string;
  ready: () => boolean;
}

/**
 * The port for operations of a program. Its main process or thread answers, from its memory, so that it lives when all
 * that works hangs.
 */
export class OpsServer {
  private readonly server: Server;

  constructor(private readonly options: OpsServerOptions) {
    this.server = createServer((request, response) => this.answer(pathOf(request), response));
  }

  /** @throws SluiceError `PORT_IN_USE` */
  listen(): Promise<void> {
    const { host, port } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) =>
        reject(cannotListen('METRICS_PORT', host, port, error)),
      );
      this.server.listen(port, host, resolve);
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private answer(path: string, response: ServerResponse): void {
    switch (path) {
      case '/livez':
        send(response, 200, { status: 'alive' });
        return;
      case '/readyz': {
        const ready = this.options.ready();
        send(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready' });
        return;
      }
      case '/health': {
        const health = this.options.health();
        send(response, health.status === 'healthy' ? 200 : 503, health);
        return;
      }
      case '/metrics':
        response.writeHead(200, { 'Content-Type': METRICS_CONTENT_TYPE });
        response.end(this.options.metrics());
        return;
      default:
        send(response, 404, {
          error: {
            code: 'NOT_FOUND',
            message: 'there is nothing here; allowed: GET /health, GET /livez, GET /readyz, GET /metrics',
          },
        });
    }
  }
}

/** The path without the query. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] as string; // split gives one part at least
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

/**
 * Makes sure that nobody listens on a port yet. The engine processes share their port (SO_REUSEPORT), so the
 * kernel would let a second engine in silently and split the traffic between the two.
 *
 * @throws SluiceError `PORT_IN_USE`, naming the variable
 */
export function claimPort(variable: string, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(variable, host, port, error)));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve()));
  });
}

function cannotListen(
  variable: string,
  host: string,
  port: number,
  error: NodeJS.ErrnoException,
): SluiceError {
  const why =
    error.code === 'EADDRINUSE'
      ? 'another program listens there'
      : error.code === 'EACCES'
        ? 'this user may not listen there'
        : error.message;
  return new SluiceError('PORT_IN_USE', `${variable} is ${port}: cannot listen on ${host}:${port}, ${why}`, {
    cause: error,
  });
}
