import type { Peer } from './peer.js';

/** A peer that is not installed with the bench: the peer, or what to install for it. */
export type FoundPeer = { peer: Peer } | { missing: string };
