-- Moves tasks that will not be tried again to the dead-letter stream.
--
-- KEYS  stream, attempts, retries, ledger, dead-letter stream, breaker, failures
-- ARGV  group, consumer, parked consumer, lowest id, highest id, breaker policy or nothing,
--       runs that ended well since the last report, then per entry:
--       id, reason, attempts, crashes, error name, error message, error stack, deliveries, delay in ms should it be
--       parked, whether it counts for the breaker (0 or 1), whether it may be excused (0 or 1), ms since the run
--       started, the last round of the breaker that was over then or nothing, whether the verdict can wait (0 or 1)
-- Returns { ids that were not pending for this consumer, ids that are gone from the stream, breaker,
--           ids that were excused and parked, ids whose verdict has to wait }
--
-- Atomic, and the dead letter is written before the entry is acknowledged: should Redis refuse the write,
-- the script stops there and the task is still pending.
--
-- A task whose last attempt failed because of what is about to open the breaker is not to die of it. As long as most
-- tasks fail and they are too few to tell, nothing is done to it: the consumer keeps it and asks again, until the
-- breaker has opened or the window is over.
local stream, attempts, retries, ledger, dead_letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local group, consumer, parked = ARGV[1], ARGV[2], ARGV[3]
local owned = owned_by(stream, group, consumer, ARGV[4], ARGV[5])
local policy, successes = breaker_policy(ARGV[6]), tonumber(ARGV[7])
local now = now_ms()

-- Lua's stack holds some 8,000 values; an entry with more fields is none of ours, and is poison for that.
local MOST_FIELDS = 2000

-- Days since 1970 to year, month, day (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
local function iso(ms)
  local seconds = math.floor(ms / 1000)
  local days = math.floor(seconds / 86400)
  local z = days + 719468
  local era = math.floor(z / 146097)
  local day_of_era = z - era * 146097
  local year_of_era = math.floor((day_of_era - math.floor(day_of_era / 1460) + math.floor(day_of_era / 36524)
    - math.floor(day_of_era / 146096)) / 365)
  local day_of_year = day_of_era - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local shifted_month = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * shifted_month + 2) / 5) + 1
  local month = shifted_month < 10 and shifted_month + 3 or shifted_month - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  local rest = seconds - days * 86400
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day,
    math.floor(rest / 3600), math.floor(rest % 3600 / 60), rest % 60, ms - seconds * 1000)
end

local fenced, runs = {}, {}
for i = 8, #ARGV, 14 do
  local id = ARGV[i]
  if owned[id] then
    runs[#runs + 1] = { id = id, at = i, deliveries = ARGV[i + 7], counts = ARGV[i + 9] == '1',
      excusable = ARGV[i + 10] == '1', ran = tonumber(ARGV[i + 11]), over = tonumber(ARGV[i + 12]), held = true,
      can_wait = ARGV[i + 13] == '1' }
  else
    fenced[#fenced + 1] = id
  end
end

local breaker = breaker_of(KEYS[6])
local suspicious, excused_count = judge(breaker, KEYS[7], attempts, policy, now, successes, runs)

local lost, pardoned, undecided = {}, {}, {}
local single_group = #redis.call('XINFO', 'GROUPS', stream) == 1
local buried = 0

local function pardon(run)
  if not park(stream, group, parked, run.id) then
    redis.call('HDEL', attempts, run.id)
    lost[#lost + 1] = run.id
    return
  end
  local failed, first, excused = history_of(attempts, run.id)
  remember(attempts, run.id, failed, first, excused + 1)
  redis.call('ZADD', retries, now + tonumber(ARGV[run.at + 8]), run.id)
  excused_count = excused_count + 1
  pardoned[#pardoned + 1] = run.id
end

local function bury(run)
  local id, i = run.id, run.at
  local entry = redis.call('XRANGE', stream, id, id)[1]
  if entry then
    local _, first = history_of(attempts, id)
    local letter = {}
    for f = 1, math.min(#entry[2], MOST_FIELDS) do letter[f] = entry[2][f] end
    local facts = {
      'reason', ARGV[i + 1], 'attempts', ARGV[i + 2], 'crashes', ARGV[i + 3],
      'error_name', ARGV[i + 4], 'error_message', ARGV[i + 5], 'error_stack', ARGV[i + 6],
      'first_failed_at', iso(first == 0 and now or first), 'last_failed_at', iso(now),
      'consumer', consumer, 'group', group, 'source_stream', stream, 'source_id', id,
    }
    for f = 1, #facts do letter[#letter + 1] = facts[f] end
    local letter_id = redis.call('XADD', dead_letters, '*', unpack(letter))
    local task_id = tracked_id(entry[2])
    if task_id then
      local what = string.format('dead %.0f %s %s %s', now, letter_id, ARGV[i + 2], ARGV[i + 1])
      note_end(stream, task_id, id, group, what)
    end
    buried = buried + 1
  else
    lost[#lost + 1] = id
  end
  redis.call('XACK', stream, group, id)
  if single_group then redis.call('XDEL', stream, id) end
  redis.call('HDEL', attempts, id)
  redis.call('ZREM', retries, id)
end

for _, run in ipairs(runs) do
  if run.excused then
    pardon(run)
  elseif run.counts and run.can_wait and suspicious then
    undecided[#undecided + 1] = run.id
  else
    bury(run)
  end
end
if #pardoned > 0 then redis.call('HINCRBY', ledger, 'retried', #pardoned) end
if excused_count > 0 then redis.call('HINCRBY', ledger, 'excused', excused_count) end
if buried > 0 then redis.call('HINCRBY', ledger, 'dead', buried) end
if #lost > 0 then redis.call('HINCRBY', ledger, 'lost', #lost) end
return { fenced, lost, breaker_report(breaker, policy, now), pardoned, undecided }
