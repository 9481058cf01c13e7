-- Sets failed tasks aside until their next attempt is due.
--
-- KEYS  stream, attempts, retries, ledger, breaker, failures
-- ARGV  group, consumer, parked consumer, lowest id, highest id, breaker policy or nothing,
--       runs that ended well since the last report, then per entry:
--       id, deliveries as the consumer knows them, delay in ms, whether it counts for the breaker (0 or 1),
--       whether it may be excused (0 or 1), ms since the run started, the last round of the breaker that was over then
--       or nothing
-- Returns { ids that were not pending for this consumer, ids that are gone from the stream, breaker }
--
-- Atomic because an entry that is parked but not in the schedule would wait for ever, and because the failures that
-- open the breaker, and those that come while it is open, must not be counted against their tasks. Also fenced by the
-- number of deliveries: after a lost reply a consumer parks again what it may have taken back meanwhile.
local stream, attempts, retries, ledger, breaker_key, failures = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local group, consumer, parked = ARGV[1], ARGV[2], ARGV[3]
local owned = owned_by(stream, group, consumer, ARGV[4], ARGV[5])
local policy, successes = breaker_policy(ARGV[6]), tonumber(ARGV[7])
local now = now_ms()

local fenced, lost, runs = {}, {}, {}
for i = 8, #ARGV, 7 do
  local id, deliveries = ARGV[i], tonumber(ARGV[i + 1])
  if owned[id] ~= deliveries then
    fenced[#fenced + 1] = id
  elseif park(stream, group, parked, id) then
    redis.call('ZADD', retries, now + tonumber(ARGV[i + 2]), id)
    runs[#runs + 1] = { id = id, deliveries = deliveries, counts = ARGV[i + 3] == '1', excusable = ARGV[i + 4] == '1',
      ran = tonumber(ARGV[i + 5]), over = tonumber(ARGV[i + 6]) }
  else
    redis.call('HDEL', attempts, id)
    lost[#lost + 1] = id
  end
end

local breaker = breaker_of(breaker_key)
local _, excused_count = judge(breaker, failures, attempts, policy, now, successes, runs)
for _, run in ipairs(runs) do
  local failed, first, excused = history_of(attempts, run.id)
  if run.excused then
    remember(attempts, run.id, failed, first, excused + 1)
    excused_count = excused_count + 1
  else
    remember(attempts, run.id, failed + 1, first == 0 and now or first, excused)
  end
end
if #runs > 0 then redis.call('HINCRBY', ledger, 'retried', #runs) end
if excused_count > 0 then redis.call('HINCRBY', ledger, 'excused', excused_count) end
if #lost > 0 then redis.call('HINCRBY', ledger, 'lost', #lost) end
return { fenced, lost, breaker_report(breaker, policy, now) }
