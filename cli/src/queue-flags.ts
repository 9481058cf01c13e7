import { queueOptions } from '@sluice/contract';
import { Type } from 'typebox';
import { flag } from './command.js';

/** The flags of every command: which queue it is about, and how the answer is to look. */
export const queueFlags = {
  redis: Type.String({
    ...queueOptions.redisUrl,
    value: 'url',
    description: 'The Redis of the queue. Without it: $REDIS_URL, then the one that make up runs here.',
  }),
  stream: Type.String({
    ...queueOptions.streamName,
    value: 'name',
    description: 'Stream of untyped tasks; all other keys of the queue derive from it.',
  }),
  json: flag('Print JSON, for programs.'),
};

export const groupFlag = Type.String({
  env: 'REDIS_CONSUMER_GROUP',
  minLength: 1,
  default: 'processors',
  value: 'name',
  description: 'Consumer group.',
});
