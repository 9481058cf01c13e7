import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { SluiceError } from '@sluice/contract';
import { ControlServer, type RunState } from './control.js';
import { freePort } from './free-port.js';
import { LogFile, rotateLogs } from './log-file.js';
import type { Places } from './places.js';
import { redisAnswers, spawnPrivateRedis } from './private-redis.js';
import { forkOwn, Program, readyMessage } from './program.js';
import { findRedis } from './redis-binary.js';
import { withoutPassword } from './redis-url.js';
import { endLeftOver, RunFile } from './run-file.js';

export interface KeeperOptions {
  places: Places;
  environment: Readonly<Record<string, string | undefined>>;
  /** One line about what is going on. */
  onProgress: (line: string) => void;
  /** It ended because somebody else asked for it, or because a program died for good; with the last line to show. */
  onEnded: (end: { line: string; failed: boolean }) => void;
}

/** Another launcher of the same checkout runs, or is just starting. */
export class AlreadyRunning extends Error {}
/** Somebody asked for the end before all was up; {@link KeeperOptions.onEnded} says the rest. */
export class EndedWhileStarting extends Error {}

/** That of the engine. */
const DEFAULT_METRICS_PORT = 8080;
const LOG_LOOK_EVERY_MS = 60_000;
const READYZ_LIMIT_MS = 30_000;
const READYZ_EVERY_MS = 50;
const GIVEN_REDIS_LIMIT_MS = 5000;
const PRIVATE_REDIS_LIMIT_MS = 30_000;

/** Runs Redis, the engine and the consumers, keeps them running, and ends them in order. */
export class Keeper {
  private readonly control: ControlServer;
  private readonly runFile: RunFile;
  private readonly logs: LogFile[] = [];
  private readonly rotation: NodeJS.Timeout;
  private redis: Program<void> | undefined;
  private engine: Program<Record<string, unknown>> | undefined;
  private consumers: Program<Record<string, unknown>> | undefined;
  private starting: Promise<RunState> | undefined;
  private stopping: Promise<string> | undefined;

  constructor(private readonly options: KeeperOptions) {
    const { places } = options;
    mkdirSync(places.logs, { recursive: true });
    this.runFile = new RunFile(places.runFile);
    this.rotation = setInterval(() => rotateLogs(places.logs), LOG_LOOK_EVERY_MS);
    this.control = new ControlServer(places.controlSocket, () => this.endOnRequest());
  }

  /**
   * Starts all. When something cannot be started, all that was is ended again.
   *
   * @throws AlreadyRunning, EndedWhileStarting, or SluiceError with one line per thing that is wrong
   */
  async start(): Promise<RunState> {
    if (!(await this.control.listen())) {
      clearInterval(this.rotation);
      throw new AlreadyRunning();
    }
    this.starting = this.startAll();
    try {
      const run = await this.starting;
      this.control.announce({ phase: 'running', run });
      return run;
    } catch (error) {
      if (this.stopping !== undefined) throw new EndedWhileStarting();
      await this.stop();
      throw error;
    }
  }

  /** Ends all; {@link KeeperOptions.onEnded} is told when it is over. */
  endOnRequest(): void {
    void this.endAndTell(undefined);
  }

  private async startAll(): Promise<RunState> {
    const { places, onProgress } = this.options;
    const left = await endLeftOver(places.runFile);
    if (left.length > 0) onProgress(`ended what a launcher that was killed had left: ${left.join(', ')}`);
    const redisUrl = await this.startRedis();
    const run = await this.startServices(redisUrl);
    onProgress('engine and consumers are ready');
    return run;
  }

  private startRedis(): Promise<string> {
    const { REDIS_URL } = this.options.environment;
    return REDIS_URL === undefined || REDIS_URL === '' ? this.startPrivateRedis() : this.reach(REDIS_URL);
  }

  /** The Redis that somebody else runs. */
  private async reach(url: string): Promise<string> {
    // Left to the engine to complain about, which names what is allowed.
    if (!/^rediss?:\/\//.test(url)) return url;
    const shown = withoutPassword(url);
    this.options.onProgress(`using the Redis of REDIS_URL, ${shown}`);
    await redisAnswers(url, GIVEN_REDIS_LIMIT_MS, () => this.stopping !== undefined).catch((error: Error) => {
      throw new SluiceError('REDIS_UNAVAILABLE', `REDIS_URL is ${shown}: ${error.message}`);
    });
    return url;
  }

  private async startPrivateRedis(): Promise<string> {
    const { places, environment, onProgress } = this.options;
    const command = await findRedis({ dataDir: places.data, environment, onProgress });
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    const log = this.openLog('redis');
    this.redis = this.program('Redis', log, places.redis, {
      launch: () => spawnPrivateRedis({ command, port, dir: places.redis, log: log.descriptor }),
      ready: (child) =>
        redisAnswers(url, PRIVATE_REDIS_LIMIT_MS, () => child.exitCode !== null || child.signalCode !== null),
    });
    await this.redis.start().catch((error: Error) => {
      if (this.stopping !== undefined) throw error;
      throw new SluiceError(
        'REDIS_UNAVAILABLE',
        `${command.program} does not start; see ${this.shown(log.path)}`,
        { cause: error },
      );
    });
    onProgress(`Redis ${command.version} on port ${port}, data in ${this.shown(places.redis)}`);
    return url;
  }

  /** Both at the same time, so that what is wrong with either is said at once. */
  private async startServices(redisUrl: string): Promise<RunState> {
    const { places, environment } = this.options;
    const example = join(places.root, 'examples/webhooks/dist');
    const consumersPort = await this.consumersMetricsPort();
    const own = (
      name: string,
      script: string,
      more: Record<string, string> = {},
    ): Program<Record<string, unknown>> => {
      const log = this.openLog(name);
      const path = join(places.root, script);
      const given = {
        SCHEMA_MODULE: join(example, 'schemas.js'),
        HANDLER_MODULE: join(example, 'handlers.js'),
        DIGEST_DIR: places.digest,
        ...environment,
        REDIS_URL: redisUrl,
        ...more,
      };
      return this.program(name, log, path, {
        launch: () => forkOwn(path, given, log),
        ready: readyMessage,
      });
    };
    this.endIfAsked();
    this.engine = own('engine', 'engine/dist/main.js');
    this.consumers = own('consumers', 'consumers/dist/main.js', { METRICS_PORT: consumersPort });
    const [engine, consumers] = await Promise.allSettled([this.engine.start(), this.consumers.start()]);
    if (engine.status === 'rejected' || consumers.status === 'rejected') {
      throw new SluiceError('INTERNAL_ERROR', complaintsOf([engine, consumers]).join('\n'));
    }
    const { opsUrl: consumersOpsUrl } = consumers.value as { opsUrl: string };
    const { url, opsUrl } = engine.value as { url: string; opsUrl: string }; // what an engine says when it is ready
    await readiness(opsUrl, () => this.stopping !== undefined);
    return { pid: process.pid, url, opsUrl, consumersOpsUrl, redisUrl };
  }

  /** The port for operations of the consumers: `CONSUMERS_METRICS_PORT`, else the one after that of the engine if it is free. */
  private async consumersMetricsPort(): Promise<string> {
    const { CONSUMERS_METRICS_PORT, METRICS_PORT } = this.options.environment;
    if (CONSUMERS_METRICS_PORT !== undefined && CONSUMERS_METRICS_PORT !== '') return CONSUMERS_METRICS_PORT;
    const next = Number(METRICS_PORT || DEFAULT_METRICS_PORT) + 1;
    return String(await freePort(next > 1 && next < 65_536 ? next : 0));
  }

  private program<Ready>(
    name: string,
    log: LogFile,
    commandLinePart: string,
    how: Pick<ConstructorParameters<typeof Program<Ready>>[0], 'launch' | 'ready'>,
  ): Program<Ready> {
    const { onProgress } = this.options;
    return new Program({
      name,
      log,
      ...how,
      onStarted: (pid) => this.runFile.note({ name, pid, commandLinePart }),
      onDied: (exit, restartInMs) => {
        if (restartInMs !== undefined)
          onProgress(`${name} died (${exit}), starting again in ${restartInMs} ms`);
        else void this.endAndTell(`${name} keeps dying (${exit}), given up; see ${this.shown(log.path)}`);
      },
    });
  }

  /** Between two steps of the start: whoever asked to end it must not get more started. */
  private endIfAsked(): void {
    if (this.stopping !== undefined) throw new EndedWhileStarting();
  }

  private async endAndTell(fault: string | undefined): Promise<void> {
    const line = await this.stop();
    this.options.onEnded({ line: fault ?? line, failed: fault !== undefined });
  }

  private stop(): Promise<string> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  /** Ends all in the order in which nothing is lost: intake, consumers, Redis. Resolves with what it ended. */
  private async end(): Promise<string> {
    clearInterval(this.rotation);
    this.control.announce({ phase: 'ending' });
    const ended = new Set<string>();
    const endThose = async (): Promise<void> => {
      if (await this.engine?.stop()) ended.add('engine');
      if (await this.consumers?.stop()) ended.add('consumers');
      if (await this.redis?.stop()) ended.add('Redis');
    };
    await endThose();
    await this.starting?.catch(() => {}); // ends soon when it is asked to in between …
    await endThose(); // … and may have started something after we had looked
    for (const log of this.logs) log.close();
    this.runFile.remove();
    const line = this.lastLine([...ended]);
    this.control.close(line);
    return line;
  }

  private lastLine(ended: string[]): string {
    if (ended.length === 0) return 'ended: nothing was running yet';
    const { places } = this.options;
    const kept = `; what is queued is kept in ${this.shown(places.redis)} (make clean deletes it)`;
    return `ended: ${ended.join(', ')}${ended.includes('Redis') ? kept : ''}`;
  }

  /** A path as one would type it after `make`. */
  private shown(path: string): string {
    const below = relative(this.options.places.root, path);
    return below.startsWith('..') ? path : below;
  }

  private openLog(name: string): LogFile {
    const log = new LogFile(this.options.places.logs, name);
    this.logs.push(log);
    return log;
  }
}

/** The lines of all that failed; what is wrong for both is said once. */
function complaintsOf(results: readonly PromiseSettledResult<unknown>[]): string[] {
  const lines = results.flatMap((result) =>
    result.status === 'rejected' ? (result.reason as Error).message.split('\n') : [],
  );
  return [...new Set(lines)];
}

async function readiness(opsUrl: string, hasEnded: () => boolean): Promise<void> {
  const deadline = performance.now() + READYZ_LIMIT_MS;
  while (performance.now() < deadline && !hasEnded()) {
    const ready = await fetch(`${opsUrl}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, READYZ_EVERY_MS));
  }
  throw new SluiceError(
    'REDIS_UNAVAILABLE',
    `the engine did not become ready within ${READYZ_LIMIT_MS / 1000} s; see ${opsUrl}/health`,
  );
}
