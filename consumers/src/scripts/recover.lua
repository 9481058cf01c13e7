-- Frees entries whose consumer has not renewed its lease, and removes consumers that are gone for good. Also gives
-- parked entries a time again that have lost theirs because somebody deleted the schedule.
--
-- KEYS  stream, attempts, retries, ledger
-- ARGV  group, parked consumer, lease in ms, most entries to free, idle ms after which an empty consumer is gone
-- Returns { { consumer, entries freed } ..., ids that are gone from the stream, consumers removed }
--
-- Not XAUTOCLAIM: that would claim parked entries too, whose idle time says nothing. The entries are parked as
-- due at once rather than claimed, so that there is one way back into work (take-due) and the thread with room
-- gets them. Atomic because an entry that is parked but not in the schedule would wait for ever, and because
-- deleting a consumer that was given an entry a moment ago would lose that entry.
local stream, attempts, retries, ledger = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, parked = ARGV[1], ARGV[2]
local lease, most, gone_after = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local now = now_ms()

local function facts_of(reply)
  local facts = {}
  for i = 1, #reply, 2 do facts[reply[i]] = reply[i + 1] end
  return facts
end

local function reschedule_parked()
  local from = '-'
  repeat
    local entries = redis.call('XPENDING', stream, group, from, '+', 500, parked)
    for _, entry in ipairs(entries) do
      redis.call('ZADD', retries, 'NX', now, entry[1])
      from = '(' .. entry[1]
    end
  until #entries < 500
end

local freed, lost, removed = {}, {}, {}
local left = most
for _, reply in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
  local consumer = facts_of(reply)
  if consumer.name == parked then
    if consumer.pending > redis.call('ZCARD', retries) then reschedule_parked() end
  else
    if consumer.pending > 0 and left > 0 then
      local count = 0
      local expired = redis.call('XPENDING', stream, group, 'IDLE', lease, '-', '+', left, consumer.name)
      for _, entry in ipairs(expired) do
        local id = entry[1]
        if park(stream, group, parked, id) then
          redis.call('ZADD', retries, now, id)
          count = count + 1
        else
          redis.call('HDEL', attempts, id)
          lost[#lost + 1] = id
        end
      end
      left = left - #expired
      if count > 0 then freed[#freed + 1] = { consumer.name, count } end
    elseif consumer.pending == 0 and consumer.idle > gone_after then
      redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer.name)
      removed[#removed + 1] = consumer.name
    end
  end
end
for _, entry in ipairs(freed) do redis.call('HINCRBY', ledger, 'taken_over', entry[2]) end
if #lost > 0 then redis.call('HINCRBY', ledger, 'lost', #lost) end
return { freed, lost, removed }
