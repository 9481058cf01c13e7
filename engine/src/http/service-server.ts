import * as uWS from 'uWebSockets.js';
import { SluiceError } from '@sluice/contract';
import type { Access } from '../access/access.js';
import type { BatchIntake } from '../intake/batch-intake.js';
import type { Intake } from '../intake/intake.js';
import type { Reception } from '../intake/reception.js';
import type { TaskRoute } from '../intake/task-route.js';
import { microsNow } from '../metrics/micros-now.js';
import { type RouteTimes, SUCCEEDED, statusClassOf } from '../metrics/request-times.js';
import type { ApiDocs } from '../openapi/api-docs.js';
import { POST_ONLY, type StatusDesk } from '../status/status-desk.js';
import { endWith, type Refusal } from './answers.js';
import { type Cors, isPreflight } from './cors.js';
import type { Health } from './health.js';
import type { TlsFiles } from './tls-files.js';

export interface ServiceServerOptions {
  host: string;
  port: number;
  sharePort: boolean;
  tls: TlsFiles;
  access: Access | undefined;
  reception: Reception;
  intake: Intake;
  batchIntake: BatchIntake;
  statusDesk: StatusDesk;
  /** Where requests are counted that lead to no task. */
  other: RouteTimes;
  untyped: TaskRoute;
  typed: ReadonlyMap<string, TaskRoute>;
  health: () => Health;
  /** Whether traffic should come here. */
  ready: () => boolean;
  docs: ApiDocs | undefined;
}

type ListenWithOptions = (
  host: string,
  port: number,
  options: number,
  onListening: (socket: uWS.us_listen_socket | false) => void,
) => void;

/** LIBUS_LISTEN_DEFAULT: SO_REUSEPORT is set, and the kernel spreads connections over all who listen. */
const SHARED_PORT = 0;
/** LIBUS_LISTEN_EXCLUSIVE_PORT: a port in use is an error. */
const EXCLUSIVE_PORT = 1;

/** The HTTP side of an engine process: which path leads where. */
export class ServiceServer {
  private readonly app: uWS.TemplatedApp;
  private listenSocket: uWS.us_listen_socket | undefined;
  /** Open connections, idle ones too. */
  connections = 0;
  private readonly countConnection = (_response: uWS.HttpResponse, change: number): void => {
    this.connections += change;
  };

  constructor(private readonly options: ServiceServerOptions) {
    const { access, reception, intake, batchIntake, statusDesk, untyped, typed, health, ready, docs } =
      options;
    const unknownType = unknownTypeRefusal([...typed.keys()]);
    this.app = appFor(options.tls)
      .filter(this.countConnection)
      .post('/tasks', (response, request) => intake.handle(response, request, untyped))
      .post('/tasks/batch', (response, request) => batchIntake.handle(response, request, untyped))
      .post('/tasks/:type/batch', (response, request) => {
        const route = typed.get(request.getParameter(0) ?? '');
        if (route !== undefined) batchIntake.handle(response, request, route);
        else if (!reception.refuseAmbiguous(response, request)) {
          reception.refuseOther(response, access?.refusal(request) ?? unknownType);
        }
      })
      .post('/tasks/:type', (response, request) => {
        const route = typed.get(request.getParameter(0) ?? '');
        if (route !== undefined) intake.handle(response, request, route);
        else if (!reception.refuseAmbiguous(response, request)) {
          // Which types there are is told to holders of a key only.
          reception.refuseOther(response, access?.refusal(request) ?? unknownType);
        }
      })
      .get('/tasks/:type', (response, request) => statusDesk.handle(response, request, true))
      .head('/tasks/:type', (response, request) => statusDesk.handle(response, request, false));
    if (access?.cors !== undefined) this.answerPreflights(access.cors);
    this.refuseAll('/tasks', POST_ONLY);
    this.refuseAll('/tasks/:type', POST_ONLY);
    this.refuseAll('/tasks/:type/batch', POST_ONLY);
    this.probe('/health', () => {
      const body = health();
      return { ok: body.status === 'healthy', body };
    });
    this.probe('/livez', () => ({ ok: true, body: { status: 'alive' } }));
    this.probe('/readyz', () => {
      const isReady = ready();
      return { ok: isReady, body: { status: isReady ? 'ready' : 'not ready' } };
    });
    if (docs !== undefined) this.serve(docs);
    this.refuseAll('/*', NOT_FOUND);
  }

  /** Answers GET and HEAD on a path. */
  private probe(path: string, look: () => { ok: boolean; body: object }): void {
    const answer = (response: uWS.HttpResponse, request: uWS.HttpRequest, withBody: boolean): void => {
      if (this.options.reception.refuseAmbiguous(response, request)) return;
      const startedAt = microsNow();
      const { ok, body } = look();
      const status = ok ? '200 OK' : '503 Service Unavailable';
      response.writeStatus(status).writeHeader('Content-Type', 'application/json');
      endWith(response, body, false, withBody);
      this.options.other.answered(startedAt, statusClassOf(status));
    };
    this.app
      .get(path, (response, request) => answer(response, request, true))
      .head(path, (response, request) => answer(response, request, false));
    this.refuseOtherMethods(path);
  }

  /** Answers GET and HEAD on each path of what describes the API. */
  private serve({ answers, forKeyHolders, lacksPage }: ApiDocs): void {
    if (lacksPage) this.refuseAll('/docs', NO_PAGE);
    const { reception, access, other } = this.options;
    for (const [path, stored] of answers) {
      const answer = (response: uWS.HttpResponse, request: uWS.HttpRequest, withBody: boolean): void => {
        if (reception.refuseAmbiguous(response, request)) return;
        const refusal = forKeyHolders ? access?.refusal(request) : undefined;
        if (refusal !== undefined) reception.refuseOther(response, refusal, withBody);
        else {
          stored.answer(response, request, withBody);
          other.answered(microsNow(), SUCCEEDED);
        }
      };
      this.app
        .get(path, (response, request) => answer(response, request, true))
        .head(path, (response, request) => answer(response, request, false));
      this.refuseOtherMethods(path);
    }
  }

  /** Preflights are answered whatever their path; other requests with OPTIONS are left to the routes. */
  private answerPreflights(cors: Cors): void {
    const { reception, other } = this.options;
    this.app.options('/*', (response, request) => {
      if (reception.refuseAmbiguous(response, request)) return;
      if (!isPreflight(request)) {
        request.setYield(true);
        return;
      }
      const refusal = cors.answerPreflight(response);
      if (refusal !== undefined) reception.refuseOther(response, refusal);
      else other.answered(microsNow(), SUCCEEDED);
    });
  }

  /** Refuses all but GET and HEAD on a path that answers these. */
  private refuseOtherMethods(path: string): void {
    const { reception } = this.options;
    this.app.any(path, (response, request) => {
      if (!reception.refuseAmbiguous(response, request)) reception.refuseOther(response, GET_ONLY);
    });
  }

  /** Refuses what no other route takes. */
  private refuseAll(path: string, refusal: Refusal): void {
    const { reception } = this.options;
    const refuse = (response: uWS.HttpResponse, request: uWS.HttpRequest, withBody: boolean): void => {
      if (!reception.refuseAmbiguous(response, request)) reception.refuseOther(response, refusal, withBody);
    };
    this.app
      .any(path, (response, request) => refuse(response, request, true))
      .head(path, (response, request) => refuse(response, request, false));
  }

  /** @throws SluiceError `PORT_IN_USE` */
  listen(): Promise<number> {
    const { host, port, sharePort } = this.options;
    return new Promise((resolve, reject) => {
      const onListening = (socket: uWS.us_listen_socket | false): void => {
        if (socket === false) {
          reject(
            new SluiceError(
              'PORT_IN_USE',
              `cannot listen on ${host}:${port}: the port is in use or not permitted`,
            ),
          );
          return;
        }
        this.listenSocket = socket;
        resolve(uWS.us_socket_local_port(socket));
      };
      // The binary takes host and options together; the declarations shipped with it have no such overload.
      const listen = this.app.listen.bind(this.app) as unknown as ListenWithOptions;
      listen(host, port, sharePort ? SHARED_PORT : EXCLUSIVE_PORT, onListening);
    });
  }

  /** Takes no new connections; those that are open go on. */
  stopListening(): void {
    if (this.listenSocket === undefined) return;
    uWS.us_listen_socket_close(this.listenSocket);
    this.listenSocket = undefined;
  }

  /** Closes everything, idle connections too. */
  close(): void {
    this.app.close();
  }
}

/** Throws when uWebSockets.js cannot use the files: `faultOfTlsFiles` has been asked before. */
function appFor({ tlsCertFile, tlsKeyFile }: TlsFiles): uWS.TemplatedApp {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return uWS.App();
  return uWS.SSLApp({ cert_file_name: tlsCertFile, key_file_name: tlsKeyFile });
}

const GET_ONLY: Refusal = {
  code: 'METHOD_NOT_ALLOWED',
  message: 'this path is read with GET or HEAD',
  headers: [['Allow', 'GET, HEAD']],
};

const NOT_FOUND: Refusal = {
  code: 'NOT_FOUND',
  message:
    'there is nothing here; allowed: POST /tasks, POST /tasks/{type}, POST /tasks/batch, POST /tasks/{type}/batch, GET /tasks/{id}, GET /health, GET /livez, GET /readyz, and where it is on, GET /docs and GET /openapi.json',
};

const NO_PAGE: Refusal = {
  code: 'NOT_FOUND',
  message: 'the page needs the package swagger-ui-dist, which is not installed; /openapi.json is there',
};

const TYPES_SHOWN = 50;

function unknownTypeRefusal(types: readonly string[]): Refusal {
  const shown = types.slice(0, TYPES_SHOWN).join(', ');
  const allowed = types.length === 0 ? 'none is registered, send it to /tasks' : `allowed: ${shown}`;
  const more = types.length > TYPES_SHOWN ? ` and ${types.length - TYPES_SHOWN} more` : '';
  const untyped = types.length === 0 ? '' : '; a task without a type is sent to /tasks';
  const message = `no task type of this name is registered; ${allowed}${more}${untyped}`;
  return { code: 'UNKNOWN_TASK_TYPE', message };
}
