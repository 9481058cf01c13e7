import { Agent, request } from 'node:http';

/** What became of one request. */
export interface Answer {
  /** Number of the request, from 0; its body is `{"data":{"n":<number>}}`. */
  n: number;
  /** HTTP status; 0 when the connection broke before the answer. */
  status: number;
  taskId: string | undefined;
  code: string | undefined;
  retryAfter: string | undefined;
  /** From sending to answer, in milliseconds. */
  tookMs: number;
  /** When the answer came, as `performance.now()`. */
  at: number;
}

export interface LoadOptions {
  url: string;
  /** Requests under way at once. @default 16 */
  connections?: number;
  /** Most requests ever sent: the bound of every load. @default 1,000,000 */
  limit?: number;
  /** Called with every answer. */
  onAnswer?: (answer: Answer) => void;
  /** Pause of a connection after an answer that was not 202, in milliseconds. @default 5 */
  pauseMs?: number;
}

const UNTIL_MS = 120_000;

/** A load that runs until it is stopped. */
export interface Load {
  readonly answers: Answer[];
  /**
   * Resolves when so many answers fulfil the condition. Rejects, and ends the load, when they have not after two minutes: a
   * promise that is broken is to be seen as a failure, not as a test without an end.
   */
  until(condition: (answer: Answer) => boolean, count?: number): Promise<void>;
  /** Sends nothing new, waits for what is under way, and closes the connections. */
  stop(): Promise<Answer[]>;
}

/** Sends tasks to `POST /tasks`, each connection one after the other, and keeps every answer: the client's ledger. */
export function startLoad(options: LoadOptions): Load {
  const { url, connections = 16, limit = 1_000_000, onAnswer = () => {}, pauseMs = 5 } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const answers: Answer[] = [];
  const waiting = new Set<() => void>();
  let sent = 0;
  let stopping = false;

  const connection = async (): Promise<void> => {
    while (!stopping && sent < limit) {
      const answer = await sendOne(agent, url, sent++);
      answers.push(answer);
      onAnswer(answer);
      for (const look of waiting) look();
      if (answer.status !== 202) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const all = Promise.all(Array.from({ length: connections }, connection));

  return {
    answers,
    until(condition, count = 1) {
      return new Promise((resolve, reject) => {
        let from = answers.length;
        let found = 0;
        const late = setTimeout(() => {
          waiting.delete(look);
          stopping = true;
          reject(
            new Error(`${found} of ${count} answers are as they should be, of ${answers.length} that came`),
          );
        }, UNTIL_MS);
        const look = (): void => {
          for (; from < answers.length; from++) if (condition(answers[from] as Answer)) found++;
          if (found < count) return;
          waiting.delete(look);
          clearTimeout(late);
          resolve();
        };
        waiting.add(look);
      });
    },
    async stop() {
      stopping = true;
      await all;
      agent.destroy();
      return answers;
    },
  };
}

function sendOne(agent: Agent, url: string, n: number): Promise<Answer> {
  const startedAt = performance.now();
  const body = `{"data":{"n":${n}}}`;
  return new Promise((resolve) => {
    const finish = (status: number, headers: NodeJS.Dict<string | string[]>, text: string): void => {
      const at = performance.now();
      let parsed: { task_id?: string; error?: { code?: string } } = {};
      try {
        parsed = JSON.parse(text);
      } catch {
        // No answer of ours: the status says what came instead.
      }
      const retryAfter = headers['retry-after'];
      resolve({
        n,
        status,
        taskId: parsed.task_id,
        code: parsed.error?.code,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
        tookMs: at - startedAt,
        at,
      });
    };
    const sending = request(`${url}/tasks`, {
      agent,
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Content-Length': body.length },
    });
    sending.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => finish(response.statusCode ?? 0, response.headers, text));
      response.on('error', () => finish(0, {}, ''));
    });
    sending.on('error', () => finish(0, {}, ''));
    sending.end(body);
  });
}
