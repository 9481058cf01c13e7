import type { Peer } from './peer.js';
import { unstoredPeer } from './unstored.js';

const PROGRAM = new URL('./apps/bare.js', import.meta.url);

/** The reference: what uWebSockets.js can do when there is nothing to do. One process. */
export function barePeer(): Peer {
  return unstoredPeer('bare', PROGRAM);
}
