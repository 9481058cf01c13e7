-- Stores a task unless one was stored with the same idempotency key. Stands after `store(KEYS, ARGV)`, a function whose
-- body is append.lua or schedule.lua, as those stand.
--
-- KEYS  those of store, then the idempotency key
-- ARGV  those of store, then what to hold of the task (its id, a space, its fingerprint), then for how many milliseconds
-- Returns what store does; or as a status, when the key is known, what is held of its task
--
-- Atomic because two requests with one key may come at once, to different engines; and because a task that is stored
-- without its key, or the reverse, would come twice, or never. Store raises an error before it writes, if at all, and
-- setting a string that may be overwritten cannot fail after it.
local key = KEYS[#KEYS]
local known = redis.call('GET', key)
if known then
  -- Writes what is there already: WAIT and WAITAOF wait for what their connection wrote last, and whoever asks again over
  -- another connection than the first time has written nothing yet.
  redis.call('PEXPIREAT', key, redis.call('PEXPIRETIME', key))
  return redis.status_reply(known)
end
local reply = store({ unpack(KEYS, 1, #KEYS - 1) }, { unpack(ARGV, 1, #ARGV - 2) })
if type(reply) == 'table' and reply.err then return reply end
local held = ARGV[#ARGV - 1]
if type(reply) == 'number' then held = held .. ' ' .. string.format('%.0f', reply) end
redis.call('SET', key, held, 'PX', ARGV[#ARGV])
return reply
