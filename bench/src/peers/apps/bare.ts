// The reference of every figure: uWebSockets.js that reads the body and answers 202, and does nothing else. The same
// for messages of a WebSocket.
import { App, us_socket_local_port } from 'uWebSockets.js';
import { serving } from './serving.js';

/** As long as the answer of the engine. */
const ANSWER = '{"task_id":"00000000-0000-4000-8000-000000000000","ack":"appended"}';

App()
  .post('/*', (response) => {
    response.onAborted(() => {}); // without it uWebSockets.js ends the process
    response.onData((_chunk, isLast) => {
      if (isLast) response.writeStatus('202 Accepted').end(ANSWER);
    });
  })
  .ws('/*', { message: (socket) => void socket.send(ANSWER) })
  .listen('127.0.0.1', 0, (socket) => {
    if (socket === false) throw new Error('the bare server cannot listen on a free port of 127.0.0.1');
    serving(us_socket_local_port(socket));
  });
