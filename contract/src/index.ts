export { type ApiKey, areScopes, digestOfApiKey, newApiKey, parseApiKeys } from './api-keys.js';
export { describeThrown, type ErrorCode, type Fault, SluiceError } from './errors.js';
export { PARKED, type QueueKeys, queueKeys, type ScheduleKeys } from './keys.js';
export { listeningUrl } from './listening-url.js';
export {
  type ContentType,
  MESSAGE_FIELDS,
  readMessage,
  type TaskMessage,
  TRACE_STATE_FIELD,
  TRACKED_FIELD,
} from './message.js';
export { Option } from './option-schema.js';
export {
  describeOptions,
  type OptionNotes,
  type OptionRow,
  type PairCheck,
  queueOptions,
  readEnvironment,
  resolveOptions,
} from './options.js';
export { type RedisConnectionOptions, redisConnection } from './redis-connection.js';
export { encodeCommand } from './resp.js';
export { TASK_ID_LENGTH, writeTaskId } from './task-id.js';
export { type DataOf, DEFAULT_TASK_TYPE, defineTaskType, type TaskType } from './task-type.js';
export {
  isTraceparent,
  newTraceparent,
  TRACEPARENT_LENGTH,
  traceStateOf,
  writeTraceparent,
} from './trace-context.js';
