/** What the bench uses of autocannon 9, which has no declarations of its own. */
declare module 'autocannon' {
  interface Options {
    url: string;
    method: 'POST' | 'PUT';
    headers: Record<string, string>;
    body: string;
    connections: number;
    /** Seconds. */
    duration: number;
    requests?: readonly { setupRequest: (request: Request) => Request }[];
  }
  export interface Request {
    headers: Record<string, string>;
  }
  interface Result {
    errors: number;
    timeouts: number;
    /** Seconds. */
    duration: number;
  }
  interface Instance {
    on(
      event: 'response',
      listener: (client: unknown, status: number, bytes: number, milliseconds: number) => void,
    ): void;
  }
  export default function autocannon(
    options: Options,
    done: (error: Error | null, result: Result) => void,
  ): Instance;
}
