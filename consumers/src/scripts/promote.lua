-- Moves tasks whose time has come from the schedule of each stream into the stream, in the order they are due.
--
-- KEYS  per stream: stream, then of its schedule: due times, tasks, ledger, lease
-- ARGV  most tasks per stream, most bytes per stream, who asks, ms that the lease lasts
-- Returns per stream { ms until the next one is due or -1, whether the asker has the lease (0 or 1),
--         how many were promoted, task ids that have a time and no message, the error of Redis or '' }
--
-- Atomic because two processes must not both find the same task due, and because a task is to be in exactly one
-- place: it is added first and removed then, and should Redis refuse the add, the script stops there. The lease says
-- who looks most often and nothing else: whoever calls this promotes what is due.
local most, most_bytes, asker, lease_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])

local time = redis.call('TIME')
-- Rounded down: what is due at a millisecond is not promoted before that has begun.
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- Written at most every half of its time: each write is one in the append-only file.
local function has_lease(lease)
  local holder = redis.call('GET', lease)
  if holder and holder ~= asker then return false end
  if not holder or redis.call('PTTL', lease) < lease_ms / 2 then
    redis.call('SET', lease, asker, 'PX', lease_ms)
  end
  return true
end

-- Lua's stack holds some 8,000 values; a message with more fields is none of ours.
local MOST_VALUES = 4000

-- The fields of a task; nothing when they are gone, or are no fields.
local function fields_of(packed)
  if not packed then return nil end
  local unpacked, fields = pcall(cmsgpack.unpack, packed)
  if not unpacked or type(fields) ~= 'table' then return nil end
  if #fields == 0 or #fields > MOST_VALUES or #fields % 2 == 1 then return nil end
  return fields
end

local function promote(stream, due_times, tasks, ledger)
  redis.call('HLEN', ledger) -- of another type, it would fail when the task is in the stream already
  local promoted, bytes, lost = 0, 0, {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', due_times, '-inf', now, 'LIMIT', 0, most)) do
    if bytes >= most_bytes then break end
    local packed = redis.call('HGET', tasks, id)
    local fields = fields_of(packed)
    if fields then
      local entry = redis.call('XADD', stream, '*', unpack(fields))
      if tracked_id(fields) then note_entry(stream, id, entry) end
      promoted = promoted + 1
      bytes = bytes + #packed
    else
      lost[#lost + 1] = id
    end
    redis.call('ZREM', due_times, id)
    redis.call('HDEL', tasks, id)
    redis.call('HINCRBY', ledger, fields and 'promoted' or 'lost', 1)
  end
  return promoted, lost
end

local function look_at(stream, due_times, tasks, ledger, lease)
  local promoted, lost = promote(stream, due_times, tasks, ledger)
  local next_due = redis.call('ZRANGE', due_times, 0, 0, 'WITHSCORES')[2]
  local wait = next_due and math.max(0, tonumber(next_due) - now) or -1
  return { wait, has_lease(lease) and 1 or 0, promoted, lost, '' }
end

-- A key of another type in one stream is not to keep the others waiting. What a stream was through with is done.
local replies = {}
for i = 1, #KEYS, 5 do
  local looked, reply = pcall(look_at, KEYS[i], KEYS[i + 1], KEYS[i + 2], KEYS[i + 3], KEYS[i + 4])
  if not looked then reply = { -1, 0, 0, {}, type(reply) == 'table' and reply.err or tostring(reply) } end
  replies[#replies + 1] = reply
end
return replies
