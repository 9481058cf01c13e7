-- Appends the tasks of runs of a cron schedule, each run once.
--
-- KEYS  stream, runs
-- ARGV  name of the schedule, its next run after these or 0, most entries the stream may have,
--       type, content type, payload, then per run, in order: when it is in ms, task id, timestamp, trace context
-- Returns { now in ms, last run, runs enqueued, whether the stream is full (0 or 1) }
--
-- Atomic because a run is to be enqueued by exactly one of the consumers that all know of it: whoever comes later
-- sees that it was. A run before its time by the clock of Redis is left alone. Not allowed while Redis is out of memory.
local stream, runs = KEYS[1], KEYS[2]
local name, next_run, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local last = tonumber(string.match(redis.call('HGET', runs, name) or '', '^(%d+):')) or 0
local enqueued, full = 0, 0
for i = 7, #ARGV, 4 do
  local run = tonumber(ARGV[i])
  if run > last and run <= now then
    if redis.call('XLEN', stream) >= most then
      full = 1
      break
    end
    redis.call('XADD', stream, '*', 'task_id', ARGV[i + 1], 'timestamp', ARGV[i + 2], 'type', ARGV[4],
      'content_type', ARGV[5], 'payload', ARGV[6], 'trace_context', ARGV[i + 3])
    last = run
    enqueued = enqueued + 1
  end
end
if enqueued > 0 then redis.call('HSET', runs, name, string.format('%.0f:%.0f:%.0f', last, next_run, now)) end
return { now, last, enqueued, full }
