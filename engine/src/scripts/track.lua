-- Stores a task and notes where it is, so that its status can be asked for. Stands after `store(KEYS, ARGV)`, a function
-- whose body is append.lua or schedule.lua, as those stand.
--
-- KEYS  those of store, then the hash of the tracked task
-- ARGV  those of store, then for how many milliseconds the status is kept, from when the task is due
-- Returns what store does
--
-- Atomic because a task is settled by its entry: were that noted later, it might be done before anybody knew it. Store
-- raises an error before it writes, if at all; and nobody else writes a hash by the id of a task that is new.
local reply = store({ unpack(KEYS, 1, #KEYS - 1) }, { unpack(ARGV, 1, #ARGV - 1) })
if type(reply) == 'table' and reply.err then return reply end
local key, kept_ms = KEYS[#KEYS], ARGV[#ARGV]
if type(reply) == 'number' then
  redis.call('HSET', key, 'due', string.format('%.0f', reply))
  redis.call('PEXPIREAT', key, string.format('%.0f', reply + tonumber(kept_ms)))
else
  redis.call('HSET', key, 'entry', reply)
  redis.call('PEXPIRE', key, kept_ms)
end
return reply
