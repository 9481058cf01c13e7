/**
 * What a 202 can mean, weakest first: the task is valid and in memory; Redis has it; replicas of Redis have it as well;
 * it is on the disk of Redis.
 */
export const ACK_LEVELS = ['received', 'appended', 'replicated', 'fsynced'] as const;

export type AckLevel = (typeof ACK_LEVELS)[number];

/** The levels that Redis confirms by a command of its own. */
export type ConfirmedLevel = 'replicated' | 'fsynced';
