import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands for a service that others send to, and does with it what its mood says. */
export interface MoodyServer<Mood> {
  readonly url: string;
  /** What was sent that the service would not understand; it was answered 400. */
  readonly faults: readonly string[];
  /** From the next request on. */
  mood: Mood;
  stop(): Promise<void>;
}

/**
 * Starts one on a free port of the loopback interface.
 *
 * @param mood that it begins with
 * @param answer called with each request once its body is there; what it throws is a fault
 */
export async function startMoodyServer<Mood>(
  mood: Mood,
  answer: (mood: Mood, request: IncomingMessage, body: string, response: ServerResponse) => void,
): Promise<MoodyServer<Mood>> {
  const faults: string[] = [];
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
      answer(moody.mood, request, body, response);
    } catch (error) {
      faults.push(String(error));
      response.writeHead(400).end();
    }
  };
  const server = createServer((request, response) => void receive(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a TCP server
  const moody: MoodyServer<Mood> = {
    url: `http://127.0.0.1:${port}`,
    faults,
    mood,
    async stop() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  return moody;
}
