/** What the bench uses of express 5, which has no declarations of its own. */
declare module 'express' {
  import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';

  interface Request extends IncomingMessage {
    body: unknown;
  }
  interface Response extends ServerResponse {
    status(code: number): Response;
    json(body: object): Response;
  }
  interface Express {
    use(middleware: RequestListener): void;
    post(path: string, handler: (request: Request, response: Response) => Promise<void>): void;
    listen(port: number, host: string, listening: () => void): Server;
  }
  function express(): Express;
  namespace express {
    function json(): RequestListener;
  }
  export default express;
}
