// What lies between the bare server and the engine, one step more with each name: `heads` reads all header lines,
// `later` answers in a later turn of the event loop, `stored` writes a task to Redis meanwhile, without looking at it.
// Arguments: the step, URL of Redis, stream.
import { App, type HttpResponse, us_socket_local_port } from 'uWebSockets.js';
import { FixedAppends } from './fixed-appends.js';
import { serving } from './serving.js';

const HEAD = bytesOf('202 Accepted\r\nContent-Type: application/json');
const ANSWER = bytesOf('{"task_id":"00000000-0000-4000-8000-000000000000","ack":"appended"}');

interface Request {
  readonly response: HttpResponse;
  isGone: boolean;
}

const [step = '', redisUrl = '', stream = ''] = process.argv.slice(2);
let hosts = 0;
let filling: Request[] = [];
const onHeader = (name: string): void => {
  if (name === 'host') hosts++;
};
const store = step === 'stored' ? new FixedAppends<Request>(new URL(redisUrl), stream, answer) : undefined;

App()
  .post('/*', (response, httpRequest) => {
    httpRequest.forEach(onHeader);
    if (hosts === 0) throw new Error('a request without a host');
    const request: Request = { response, isGone: false };
    response.onAborted(() => {
      request.isGone = true;
    });
    response.onData((chunk, isLast) => {
      if (!isLast) throw new Error('bodies in more than one piece are not what is measured');
      if (step === 'heads') {
        response.writeStatus(HEAD).end(ANSWER);
        return;
      }
      store?.add(new Uint8Array(chunk));
      if (filling.push(request) === 1) setImmediate(flush);
    });
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (socket === false) throw new Error('cannot listen on a free port of 127.0.0.1');
    serving(us_socket_local_port(socket));
  });

function flush(): void {
  const requests = filling;
  filling = [];
  if (store === undefined) requests.forEach(answer);
  else store.write(requests);
}

function answer({ response, isGone }: Request): void {
  if (!isGone) response.cork(() => response.writeStatus(HEAD).end(ANSWER));
}

function bytesOf(text: string): ArrayBuffer {
  const bytes = new TextEncoder().encode(text);
  return bytes.buffer;
}
