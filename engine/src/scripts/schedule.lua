-- Stores a task until it is due; appends one that is due already.
--
-- KEYS  stream, then of its schedule: due times, tasks, ledger
-- ARGV  when it is due: milliseconds from now with a plus in front, else Unix milliseconds
--       most tasks the schedule may hold
--       length that the stream is trimmed to when a task is appended, as the engine does with drop-oldest; 0 for none
--       the fields of its message: name, value ..., the first value being the task id
-- Returns the Unix milliseconds it is due at, or the id of its entry
--
-- Atomic because a task with a time and no message, or the reverse, would never run. The time is that of Redis, as it
-- is when the task is promoted, so that no other clock plays a part. Not allowed while Redis is out of memory.
local stream, due_times, tasks, ledger = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local trim_to = tonumber(ARGV[3])

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local due = tonumber(ARGV[1])
if string.sub(ARGV[1], 1, 1) == '+' then due = math.ceil(now + due) end

local fields = {}
for i = 4, #ARGV do fields[#fields + 1] = ARGV[i] end

if due <= now then
  if trim_to > 0 then return redis.call('XADD', stream, 'MAXLEN', '~', trim_to, '*', unpack(fields)) end
  return redis.call('XADD', stream, '*', unpack(fields))
end

-- Whichever key is not of its type, Redis says so before anything is written.
if redis.call('ZCARD', due_times) >= tonumber(ARGV[2]) then
  return redis.error_reply('SCHEDULEFULL the schedule holds as many tasks as it may')
end
redis.call('HLEN', tasks)
redis.call('HINCRBY', ledger, 'scheduled', 1)
redis.call('HSET', tasks, fields[2], cmsgpack.pack(fields))
redis.call('ZADD', due_times, due, fields[2])
return due
