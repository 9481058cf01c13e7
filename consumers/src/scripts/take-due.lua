-- Claims parked entries whose time has come.
--
-- KEYS  stream, attempts, retries, ledger
-- ARGV  group, consumer, parked consumer, most entries to take, crashes that make a suspect
-- Returns { entries, ids that are gone from the stream, ms until the next one is due or -1 }
--         entry = { id, fields, deliveries including this one, failed, excused }
--
-- Atomic because two threads must not both find the same entry due.
--
-- A suspect (it ran more than once when its process or thread died) is handed out only while no other one
-- of this stream is out, so that the next crash names the culprit. The field `~alone` remembers it.
local stream, attempts, retries, ledger = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, consumer, parked = ARGV[1], ARGV[2], ARGV[3]
local most, suspect_from = tonumber(ARGV[4]), tonumber(ARGV[5])

-- How far to look past suspects that have to wait for one another.
local LOOK_AHEAD = 200
local STEP_ASIDE_MS = 1000
local NEXT_FEW = 50

local now = now_ms()
local taken, lost = {}, {}

local function pending(id)
  return redis.call('XPENDING', stream, group, id, id, 1)[1]
end

local function suspect_is_out()
  local id = redis.call('HGET', attempts, '~alone')
  if not id then return false end
  local entry = pending(id)
  if entry and entry[2] ~= parked then return true end
  redis.call('HDEL', attempts, '~alone')
  return false
end

local function forget(id)
  redis.call('ZREM', retries, id)
  redis.call('HDEL', attempts, id)
end

local alone = not suspect_is_out()
local skipped = {}
-- `now` was rounded up and so may lie in the future by less than a millisecond: due means before it.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', retries, '-inf', '(' .. now, 'LIMIT', 0, most + LOOK_AHEAD)) do
  if #taken >= most then break end
  local entry = pending(id)
  if not entry then
    forget(id) -- settled by someone else, from the command line for instance
  elseif entry[2] ~= parked then
    redis.call('ZREM', retries, id) -- claimed by someone else
  else
    local failed, _, excused = history_of(attempts, id)
    local suspect = entry[4] - failed - excused >= suspect_from
    if suspect and not alone then
      skipped[#skipped + 1] = id
    else
      local claimed = redis.call('XCLAIM', stream, group, consumer, 0, id)[1]
      redis.call('ZREM', retries, id)
      if claimed then
        if suspect then
          redis.call('HSET', attempts, '~alone', id)
          alone = false
        end
        taken[#taken + 1] = { id, claimed[2], entry[4] + 1, failed, excused }
      else
        forget(id)
        lost[#lost + 1] = id
      end
    end
  end
end
-- With so many suspects that nobody looks past them, all but the next few let the others by.
if #skipped >= LOOK_AHEAD then
  for i = NEXT_FEW + 1, #skipped do redis.call('ZADD', retries, 'XX', now + STEP_ASIDE_MS, skipped[i]) end
end
if #lost > 0 then redis.call('HINCRBY', ledger, 'lost', #lost) end

local next_due = redis.call('ZRANGE', retries, 0, 0, 'WITHSCORES')[2]
local wait = -1
if #skipped > 0 then wait = 50 elseif next_due then wait = math.max(0, tonumber(next_due) - now + 1) end
return { taken, lost, wait }
