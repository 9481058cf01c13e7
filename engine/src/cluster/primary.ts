import type { ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { listeningUrl, queueKeys, SluiceError, type TaskType } from '@sluice/contract';
import { claimPort, type EngineListener, type ErrorReporter, OpsServer } from '@sluice/telemetry';
import { ApiKeysFile } from '../access/api-keys-file.js';
import type { Health } from '../http/health.js';
import { ClusterMetrics } from '../metrics/cluster-metrics.js';
import type { ProcessDropped } from '../metrics/dropped-totals.js';
import type { EngineProgramOptions, ResolvedEngineOptions } from '../options.js';
import { ClusterHealth } from './cluster-health.js';
import { type FromProcess, STATUS_EVERY_MS, type ToProcess } from './process-protocol.js';
import { forkEngineProcess, type Standby } from './standby.js';
import { Trimmer } from './trimmer.js';

export interface PrimaryOptions {
  engine: ResolvedEngineOptions;
  program: EngineProgramOptions;
  taskTypes: readonly TaskType[];
  /** What of its own telemetry the primary could not deliver. */
  dropped: () => ProcessDropped;
  /** Told of what engine processes would have reported to Sentry. */
  errors: ErrorReporter | undefined;
  /** Arguments of Node for the engine processes. */
  nodeArguments: readonly string[];
  /** An engine process that is loading already. */
  standby: Standby;
  listener: EngineListener;
  /** Told once when the processes keep dying and no more are started. */
  onCrashLoop: (error: SluiceError) => void;
}

const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 5000;
/** A process that has served for so long did not die of how it was started: it is replaced however often it dies. */
const STABLE_AFTER_MS = 1000;
/** Deaths in a row, none of the processes having become stable, after which the primary gives up. */
const CRASH_LOOP_DEATHS = 8;
/** A process that has not reported for so long hangs, and is killed. */
const HUNG_AFTER_MS = 20 * STATUS_EVERY_MS;
/** The same for one that still starts: schema modules may have much to do. */
const HUNG_AT_START_MS = 60_000;
/** On top of the shutdown timeout, for the exit itself. */
const EXIT_GRACE_MS = 1000;

interface EngineProcess {
  readonly child: ChildProcess;
  readyAt: number | undefined;
  reportedAt: number;
  health: Health | undefined;
  ready: boolean;
  failure: string | undefined;
  crash: Error | undefined;
}

/**
 * Keeps the engine processes running: starts them, replaces one that died or hangs, gives up on a crash loop,
 * answers the operations port for all of them, and shuts them down in order. It serves no tasks itself.
 */
export class Primary {
  private readonly processes = new Set<EngineProcess>();
  private readonly restarts = new Set<NodeJS.Timeout>();
  private readonly ops: OpsServer;
  private readonly trimmer: Trimmer;
  private readonly health: ClusterHealth;
  private readonly metrics: ClusterMetrics;
  private readonly listener: EngineListener;
  /** Looked after here, too, so that a process that is replaced has keys even when the file is wrong by then. */
  private readonly apiKeys: ApiKeysFile | undefined;
  private readonly hungTimer: NodeJS.Timeout;
  private lookedForHungAt = performance.now();
  private deathsInARow = 0;
  private looksAfterStreams = false;
  private stopping = false;

  constructor(private readonly options: PrimaryOptions) {
    const { engine, program, taskTypes } = options;
    const keys = queueKeys(engine.streamName);
    const types = taskTypes.map((type) => type.name);
    this.health = new ClusterHealth(this.processes, engine.serviceVersion);
    this.metrics = new ClusterMetrics({
      engine,
      program,
      types,
      dropped: options.dropped,
      state: () => this.health.state(),
      report: options.listener,
    });
    this.listener = (event) => {
      options.listener(event);
      this.metrics.listener(event);
    };
    const { listener } = this;
    this.ops = new OpsServer({
      host: engine.host,
      port: program.metricsPort,
      health: () => this.health.now(),
      metrics: () => this.metrics.text(),
      ready: () => !this.stopping && this.health.isReady(),
    });
    this.trimmer = new Trimmer({
      redisUrl: engine.redisUrl,
      streams: [engine.streamName, ...types.map((type) => keys.stream(type))],
      retentionSeconds: engine.streamRetentionSeconds,
      listener,
    });
    this.apiKeys =
      engine.apiKeysFile === undefined ? undefined : new ApiKeysFile(engine.apiKeysFile, listener);
    this.hungTimer = setInterval(() => this.killHung(), STATUS_EVERY_MS);
  }

  /**
   * Resolves when every process listens.
   *
   * @throws SluiceError `PORT_IN_USE`, or what a process failed with at its start
   */
  async start(): Promise<{ url: string; opsUrl: string; processes: number }> {
    const { engine, program } = this.options;
    const count = program.workerProcesses === 'auto' ? availableParallelism() : program.workerProcesses;
    await claimPort('SERVICE_PORT', engine.host, engine.port);
    await this.ops.listen();
    this.metrics.start();
    this.apiKeys?.start();
    await Promise.all(Array.from({ length: count }, () => this.spawn()));
    return {
      url: listeningUrl(engine.host, engine.port, engine.tlsCertFile === undefined ? 'http' : 'https'),
      opsUrl: listeningUrl(engine.host, program.metricsPort),
      processes: count,
    };
  }

  /** Ends all processes in order. Resolves with whether every one of them answered all it had accepted, in time. */
  async stop(): Promise<boolean> {
    this.stopping = true;
    clearInterval(this.hungTimer);
    for (const timer of this.restarts) clearTimeout(timer);
    const inTime = await Promise.all([...this.processes].map((one) => this.end(one)));
    this.trimmer.stop();
    this.metrics.stop();
    this.apiKeys?.stop();
    await this.ops.close();
    return inTime.every(Boolean);
  }

  /** Starts one process; resolves once it listens, and never when a shutdown comes first. */
  private spawn(): Promise<void> {
    const { engine, program, nodeArguments, standby } = this.options;
    const { listener } = this;
    const child = standby.take() ?? forkEngineProcess(nodeArguments);
    const one: EngineProcess = {
      child,
      readyAt: undefined,
      reportedAt: performance.now(),
      health: undefined,
      ready: false,
      failure: undefined,
      crash: undefined,
    };
    this.processes.add(one);
    this.tell(one, {
      type: 'start',
      options: engine,
      schemaModule: program.schemaModule,
      log: program,
      apiKeysText: this.apiKeys?.text,
    });
    return new Promise((resolve, reject) => {
      child.on('message', (message: FromProcess) => {
        one.reportedAt = performance.now();
        switch (message.type) {
          case 'ready':
            one.readyAt = performance.now();
            resolve();
            return;
          case 'status':
            one.health = message.health;
            one.ready = message.ready;
            this.metrics.report(one, message.figures, message.dropped);
            if (message.ready) this.lookAfterStreams();
            return;
          case 'unexpected':
            this.options.errors?.report(message.error);
            return;
          case 'crashed':
            one.crash = Object.assign(new Error(message.error.message), message.error);
            return;
          case 'failed':
            one.failure = message.message;
            return;
          case 'stopped':
            if (message.figures !== undefined) this.metrics.report(one, message.figures, message.dropped);
            return;
        }
      });
      child.on('error', (error) => listener({ type: 'internal-error', where: 'engine process', error }));
      child.once('exit', (code, signal) => {
        this.processes.delete(one);
        this.metrics.end(one);
        // A signal to the whole process group may be seen here later than what it did to the process.
        setImmediate(() => {
          if (this.stopping) return;
          const exit = signal ?? `exit code ${code}`;
          reject(
            new SluiceError(
              'INTERNAL_ERROR',
              one.failure ?? `an engine process ended at its start (${exit})`,
            ),
          );
          this.replace(one, exit);
        });
      });
    });
  }

  /** Begins once tasks are taken, and Redis is there: what this loads would hold up the start. */
  private lookAfterStreams(): void {
    if (this.looksAfterStreams || this.stopping) return;
    this.looksAfterStreams = true;
    const failed = (error: unknown) =>
      this.listener({ type: 'internal-error', where: 'looking after the streams', error });
    Promise.all([this.trimmer.start(), this.metrics.watchQueue()]).catch(failed);
  }

  private replace(dead: EngineProcess, exit: string): void {
    const stable = dead.readyAt !== undefined && performance.now() - dead.readyAt >= STABLE_AFTER_MS;
    this.deathsInARow = stable ? 1 : this.deathsInARow + 1;
    if (this.deathsInARow >= CRASH_LOOP_DEATHS) {
      this.stopping = true;
      const last = dead.failure ?? exit;
      this.options.onCrashLoop(
        new SluiceError(
          'CRASH_LOOP',
          `the engine processes keep dying (${this.deathsInARow} times in a row): ${last}`,
        ),
      );
      return;
    }
    const restartInMs = Math.min(FIRST_RESTART_MS * 2 ** (this.deathsInARow - 1), LAST_RESTART_MS);
    const { child, crash: error } = dead;
    this.listener({ type: 'process-died', pid: child.pid ?? 0, exit, restartInMs, ...(error && { error }) });
    const timer = setTimeout(() => {
      this.restarts.delete(timer);
      this.spawn().catch(() => {}); // its exit has been seen to already
    }, restartInMs);
    this.restarts.add(timer);
  }

  private killHung(): void {
    const now = performance.now();
    const stoodStill = now - this.lookedForHungAt > 4 * STATUS_EVERY_MS;
    this.lookedForHungAt = now;
    for (const one of this.processes) {
      // Suspended or paused ourselves, we have not read what the processes reported, or they were as we were.
      if (stoodStill) one.reportedAt = now;
      const limit = one.health === undefined ? HUNG_AT_START_MS : HUNG_AFTER_MS;
      if (now - one.reportedAt > limit) one.child.kill('SIGKILL');
    }
  }

  private async end(one: EngineProcess): Promise<boolean> {
    const { child } = one;
    if (child.exitCode !== null || child.signalCode !== null) return true;
    const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    this.tell(one, { type: 'stop' });
    const limit = setTimeout(
      () => child.kill('SIGKILL'),
      this.options.engine.shutdownTimeoutSeconds * 1000 + EXIT_GRACE_MS,
    );
    const code = await exited;
    clearTimeout(limit);
    // One that was still starting has accepted nothing. Ctrl-C can kill it before it knows how to take signals.
    return code === 0 || one.health === undefined;
  }

  private tell(one: EngineProcess, message: ToProcess): void {
    // A process that has just died cannot be told; its exit event says so too.
    if (one.child.connected) one.child.send(message, () => {});
  }
}
