export { type Client, type ClientOptions, createClient, type Receipt, type SendOptions } from './client.js';
export { type ErrorDetail, SendError } from './send-error.js';
export { StatusError, type StatusOptions } from './status.js';
export type { GroupStatus, Status, TaskStatus } from './task-status.js';
