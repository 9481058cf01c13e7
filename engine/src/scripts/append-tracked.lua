-- Appends a task and notes where it is, so that its status can be asked for: append.lua and track.lua in one, as it is run
-- for each task. Put together of those, it took Redis 1.2 times as long.
--
-- KEYS  stream, hash of the tracked task
-- ARGV  length that the stream is trimmed to, as the engine does with drop-oldest; 0 for none
--       for how many milliseconds the status is kept
--       the fields of its message: name, value ...
-- Returns the id of its entry
--
-- Atomic because a task is settled by its entry: were that noted later, it might be done before anybody knew it.
local id
if ARGV[1] == '0' then
  id = redis.call('XADD', KEYS[1], '*', unpack(ARGV, 3))
else
  id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 3))
end
redis.call('HSET', KEYS[2], 'entry', id)
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return id
