import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '@sluice/contract';
import { ControlServer, type RunState } from './control.js';
import { LogFile } from './log-file.js';
import { endOrphanedRedis, freePort, redisAnswers, spawnPrivateRedis } from './private-redis.js';
import { findRedis, type RedisCommand } from './redis-binary.js';
import { Service } from './service.js';

export interface KeeperOptions {
  /** The root of the project. */
  root: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** One line about what is going on. */
  onProgress: (line: string) => void;
  /** Something died for good: all has been ended. */
  onGivenUp: (line: string) => void;
}

const LOG_LOOK_EVERY_MS = 60_000;
const READY_LIMIT_MS = 30_000;
const REDIS_RESTART_MS = 500;
const REDIS_GIVE_UP_AFTER = 8;

/** Where everything that `make up` makes is kept. */
export function dataDirOf(root: string): string {
  return join(root, '.data');
}

/** The control socket of the launcher of this checkout. */
export function controlPathOf(root: string): string {
  return join(dataDirOf(root), 'control.sock');
}

/** Runs Redis, the engine and the consumers, keeps them running, and ends them in order. */
export class Keeper {
  private readonly dataDir: string;
  private readonly logs: LogFile[] = [];
  private readonly rotation: NodeJS.Timeout;
  private redis: ChildProcess | undefined;
  private redisDeaths = 0;
  private engine: Service | undefined;
  private consumer: Service | undefined;
  private control: ControlServer | undefined;
  private stopping: Promise<string> | undefined;

  constructor(private readonly options: KeeperOptions) {
    this.dataDir = dataDirOf(options.root);
    mkdirSync(this.dataDir, { recursive: true });
    this.rotation = setInterval(() => {
      for (const log of this.logs) log.rotate();
    }, LOG_LOOK_EVERY_MS);
  }

  /**
   * Starts all in order. When something cannot be started, all that was is ended again.
   *
   * @throws SluiceError with one line per thing that is wrong
   */
  async start(): Promise<RunState> {
    try {
      const redisUrl = await this.startRedis();
      const { url, opsUrl } = await this.startServices(redisUrl);
      const state: RunState = { pid: process.pid, url, opsUrl, redisUrl };
      this.control = new ControlServer(
        controlPathOf(this.options.root),
        () => state,
        () => void this.stop().then(() => process.exit(0)),
      );
      await this.control.listen();
      return state;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Ends all in the order in which nothing is lost: intake, consumers, Redis. Resolves with what it ended. */
  stop(): Promise<string> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<string> {
    clearInterval(this.rotation);
    const ended: string[] = [];
    if (await this.engine?.stop()) ended.push('engine');
    if (await this.consumer?.stop()) ended.push('consumers');
    if (await this.endRedis()) ended.push('Redis');
    for (const log of this.logs) log.close();
    rmSync(this.portFile, { force: true });
    const line = `ended: ${ended.join(', ') || 'nothing was running'}`;
    this.control?.close(line);
    return line;
  }

  private get portFile(): string {
    return join(this.dataDir, 'redis.port');
  }

  private get redisDir(): string {
    return join(this.dataDir, 'redis');
  }

  private async startRedis(): Promise<string> {
    const { environment, onProgress } = this.options;
    await this.endLeftOver();
    const given = environment.REDIS_URL;
    if (given !== undefined && given !== '') {
      // Left to the engine to complain about, which names what is allowed.
      if (!/^rediss?:\/\//.test(given)) return given;
      const shown = given.replace(/\/\/[^@]*@/, '//***@');
      onProgress(`using the Redis of REDIS_URL, ${shown}`);
      await redisAnswers(given, () => false, 5000).catch((error: Error) => {
        throw new SluiceError('REDIS_UNAVAILABLE', `REDIS_URL is ${shown}: ${error.message}`);
      });
      return given;
    }
    const command = await findRedis({ dataDir: this.dataDir, environment, onProgress });
    const port = await freePort();
    writeFileSync(this.portFile, String(port));
    const log = this.openLog('redis');
    this.keepRedis(command, port, log);
    const url = `redis://127.0.0.1:${port}`;
    await redisAnswers(url, () => this.redisDeaths > 0).catch((error: Error) => {
      throw new SluiceError(
        'REDIS_UNAVAILABLE',
        `${command.program} did not start (${error.message}); see ${log.path}`,
      );
    });
    onProgress(`Redis ${command.version} on port ${port}, data in ${this.redisDir}`);
    return url;
  }

  /** A launcher that was killed could not end its Redis. */
  private async endLeftOver(): Promise<void> {
    if (!existsSync(this.portFile)) return;
    const port = Number(readFileSync(this.portFile, 'utf8'));
    if (await endOrphanedRedis(port, this.redisDir))
      this.options.onProgress('ended the Redis of a launcher that was killed');
    rmSync(this.portFile, { force: true });
  }

  private keepRedis(command: RedisCommand, port: number, log: LogFile): void {
    const child = spawnPrivateRedis({ command, port, dir: this.redisDir, log: log.descriptor });
    this.redis = child;
    child.once('error', () => {}); // 'exit' does not follow then, redisAnswers reports it
    child.once('exit', (code, signal) => {
      this.redisDeaths++;
      if (this.stopping !== undefined || this.control === undefined) return;
      if (this.redisDeaths >= REDIS_GIVE_UP_AFTER) {
        void this.giveUp(`Redis keeps dying (${signal ?? `exit code ${code}`}); see ${log.path}`);
        return;
      }
      this.options.onProgress(`Redis died (${signal ?? `exit code ${code}`}), starting it again`);
      setTimeout(() => {
        if (this.stopping === undefined) this.keepRedis(command, port, log);
      }, REDIS_RESTART_MS);
    });
  }

  private async endRedis(): Promise<boolean> {
    const { redis } = this;
    if (redis === undefined || redis.exitCode !== null || redis.signalCode !== null) return false;
    const exited = new Promise((resolve) => redis.once('exit', resolve));
    redis.kill('SIGTERM'); // writes its data out first
    await exited;
    return true;
  }

  private async startServices(redisUrl: string): Promise<{ url: string; opsUrl: string }> {
    const { root, onProgress } = this.options;
    const environment: NodeJS.ProcessEnv = {
      SCHEMA_MODULE: join(root, 'examples/webhooks/dist/schemas.js'),
      HANDLER_MODULE: join(root, 'examples/webhooks/dist/handlers.js'),
      DIGEST_DIR: join(this.dataDir, 'digest'),
      ...this.options.environment,
      REDIS_URL: redisUrl,
    };
    const engine = this.service('engine', join(root, 'engine/dist/main.js'), environment);
    this.engine = engine;
    const { url, opsUrl } = (await engine.start()) as { url: string; opsUrl: string };
    const consumer = this.service('consumers', join(root, 'consumers/dist/main.js'), environment);
    this.consumer = consumer;
    await consumer.start();
    await readiness(opsUrl);
    onProgress('engine and consumers are ready');
    return { url, opsUrl };
  }

  private service(name: string, script: string, environment: NodeJS.ProcessEnv): Service {
    const log = this.openLog(name);
    return new Service({
      name,
      script,
      environment,
      log,
      onDied: (exit, restartInMs) => {
        if (restartInMs === undefined) void this.giveUp(`the ${name} keeps dying (${exit}); see ${log.path}`);
        else this.options.onProgress(`the ${name} died (${exit}), starting it again in ${restartInMs} ms`);
      },
    });
  }

  private async giveUp(line: string): Promise<void> {
    await this.stop();
    this.options.onGivenUp(line);
  }

  private openLog(name: string): LogFile {
    const log = new LogFile(this.dataDir, name);
    this.logs.push(log);
    return log;
  }
}

async function readiness(opsUrl: string): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS;
  while (performance.now() < deadline) {
    const ready = await fetch(`${opsUrl}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new SluiceError(
    'REDIS_UNAVAILABLE',
    `the engine did not become ready within ${READY_LIMIT_MS / 1000} s; see ${opsUrl}/health`,
  );
}
