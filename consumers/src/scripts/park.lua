-- Sets failed tasks aside until their next attempt is due.
--
-- KEYS  stream, attempts, retries, ledger
-- ARGV  group, consumer, parked consumer, lowest id, highest id, then per entry:
--       id, deliveries as the consumer knows them, delay in ms
-- Returns { ids that were not pending for this consumer, ids that are gone from the stream }
--
-- Atomic because an entry that is parked but not in the schedule would wait for ever. Also fenced by the number
-- of deliveries: after a lost reply a consumer parks again what it may have taken back meanwhile.
local stream, attempts, retries, ledger = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, consumer, parked = ARGV[1], ARGV[2], ARGV[3]
local owned = owned_by(stream, group, consumer, ARGV[4], ARGV[5])
local now = now_ms()

local fenced, lost = {}, {}
local parked_count = 0
for i = 6, #ARGV, 3 do
  local id, deliveries, delay = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  if owned[id] ~= deliveries then
    fenced[#fenced + 1] = id
  elseif park(stream, group, parked, id) then
    local failed, first, excused = history_of(attempts, id)
    remember(attempts, id, failed + 1, first == 0 and now or first, excused)
    redis.call('ZADD', retries, now + delay, id)
    parked_count = parked_count + 1
  else
    redis.call('HDEL', attempts, id)
    lost[#lost + 1] = id
  end
end
if parked_count > 0 then redis.call('HINCRBY', ledger, 'retried', parked_count) end
if #lost > 0 then redis.call('HINCRBY', ledger, 'lost', #lost) end
return { fenced, lost }
