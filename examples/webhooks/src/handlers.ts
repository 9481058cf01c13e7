/**
 * The module that `HANDLER_MODULE` names: which module handles which type of task. Only the paths are named
 * here; each worker thread loads the modules for itself.
 */
const handlers: Readonly<Record<string, URL>> = {
  'github.push': new URL('./handlers/push.js', import.meta.url),
  'github.issues': new URL('./handlers/issues.js', import.meta.url),
  'github.issue_comment': new URL('./handlers/issue-comment.js', import.meta.url),
  'github.pull_request': new URL('./handlers/pull-request.js', import.meta.url),
  'github.release': new URL('./handlers/release.js', import.meta.url),
  'github.check_run': new URL('./handlers/check-run.js', import.meta.url),
  default: new URL('./handlers/other-event.js', import.meta.url),
};
export default handlers;
