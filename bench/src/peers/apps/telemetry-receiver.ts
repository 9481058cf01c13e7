// Takes whatever telemetry is sent, and does nothing with it: it stands for collectors on other machines. HTTP (spans, log
// lines) and UDP (StatsD) on the same port. With the argument `hanging` it takes what is sent and never answers.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { serving } from './serving.js';

const isHanging = process.argv[2] === 'hanging';
const server = createServer((request, response) => {
  request.resume();
  request.on('error', () => {}); // whoever sends has gone
  if (!isHanging) request.on('end', () => response.end());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  createSocket('udp4').bind(address.port, '127.0.0.1', () => serving(address.port));
});
