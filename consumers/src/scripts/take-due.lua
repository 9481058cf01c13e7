-- Claims parked entries whose time has come, and new ones where nobody may just read them: while the breaker is
-- half-open, and where a rate limit holds.
--
-- KEYS  stream, attempts, retries, ledger, breaker, rate
-- ARGV  group, consumer, parked consumer, most entries to take, crashes that make a suspect,
--       breaker policy or nothing, runs that ended well since the last report, probes of them, the round of those,
--       rate limit or nothing
-- Returns { entries, ids that are gone from the stream, ms until it is worth looking again or -1, breaker,
--           id after which new entries will be, or nothing when there are more now or nobody has to know }
--         entry = { id, fields, deliveries including this one, failed, excused }
--
-- Atomic because two threads must not both find the same entry due, nor take the same probe or the same token.
--
-- A suspect (it ran more than once when its process or thread died) is handed out only while no other one
-- of this stream is out, so that the next crash names the culprit. The field `~alone` remembers it.
local stream, attempts, retries, ledger, breaker_key, rate_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local group, consumer, parked = ARGV[1], ARGV[2], ARGV[3]
local wanted, suspect_from = tonumber(ARGV[4]), tonumber(ARGV[5])
local policy, rate = breaker_policy(ARGV[6]), rate_policy(ARGV[10])

-- How far to look past suspects that have to wait for one another.
local LOOK_AHEAD = 200
local STEP_ASIDE_MS = 1000
local NEXT_FEW = 50
-- How soon a half-open breaker is looked at again, by those who got no probe.
local HALF_OPEN_MS = 250

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

-- Suspects that were passed over, each once however often one looks: what is due may be looked through twice.
local skipped, passed = {}, {}

local function take_due(most)
  if most <= 0 then return end
  local alone = not suspect_is_out()
  local last = #taken + most
  -- `now` was rounded up and so may lie in the future by less than a millisecond: due means before it.
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', retries, '-inf', '(' .. now, 'LIMIT', 0, most + LOOK_AHEAD)) do
    if #taken >= last then break end
    local entry = pending(id)
    if not entry then
      forget(id) -- settled by someone else, from the command line for instance
    elseif entry[2] ~= parked then
      redis.call('ZREM', retries, id) -- claimed by someone else
    else
      local failed, _, excused = history_of(attempts, id)
      local suspect = entry[4] - failed - excused >= suspect_from
      if suspect and not alone then
        if not passed[id] then skipped[#skipped + 1] = id end
        passed[id] = true
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
end

local function take_new(most)
  if most <= 0 then return end
  local reply = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', most, 'STREAMS', stream, '>')
  if not reply then return end
  for _, entry in ipairs(reply[1][2]) do taken[#taken + 1] = { entry[1], entry[2], 1, 0, 0 } end
end

-- Which probes are out: a probe whose thread has died is parked by whoever takes it over, and so is free again.
local function count_probes(breaker)
  local out = {}
  for _, id in ipairs(breaker.probes) do
    local entry = pending(id)
    if entry and entry[2] ~= parked then out[#out + 1] = id end
  end
  breaker.probes = out
  return #out
end

-- Brings the breaker up to date; returns how many entries it lets through.
local function pass(breaker)
  local successes, probes_ok, round = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
  if breaker.state == 'closed' then
    if successes > 0 then
      count_runs(breaker, policy, now, successes, 0)
      save_breaker(breaker, policy)
    end
    return wanted
  end
  if breaker.state == 'open' then
    if now < breaker.ends then return 0 end
    breaker.state, breaker.change = 'half-open', 'half-open'
  end
  local out = count_probes(breaker)
  if round == breaker.round then breaker.probe_ok = breaker.probe_ok + probes_ok end
  if breaker.probe_ok >= probes_to_close(policy) then
    breaker.ok, breaker.bad = breaker.probe_ok, breaker.probe_bad
    breaker.state, breaker.change, breaker.closed_at = 'closed', 'closed', now
    breaker.probes, breaker.probe_ok, breaker.probe_bad = {}, 0, 0
    save_breaker(breaker, policy)
    return wanted
  end
  return math.min(wanted, policy.probes - out)
end

local breaker = breaker_of(breaker_key)
local most = wanted
if policy then most = pass(breaker) end
local half_open = policy ~= nil and breaker.state == 'half-open'

local tokens, tokens_in = most, -1
if rate then
  tokens, tokens_in = tokens_left(rate_key, rate, now)
  most = math.min(most, tokens)
end

if half_open or rate then
  -- Some of both kinds: neither may starve, and as probes neither may speak for the other. Tasks that can never work
  -- are soon the oldest of all.
  take_due(math.ceil(most / 2))
  take_new(most - #taken)
  take_due(most - #taken)
else
  take_due(most)
end
if half_open then
  for _, entry in ipairs(taken) do breaker.probes[#breaker.probes + 1] = entry[1] end
  save_breaker(breaker, policy)
end
if rate then spend_tokens(rate_key, rate, now, #taken) end

-- With so many suspects that nobody looks past them, all but the next few let the others by.
if #skipped >= LOOK_AHEAD then
  for i = NEXT_FEW + 1, #skipped do redis.call('ZADD', retries, 'XX', now + STEP_ASIDE_MS, skipped[i]) end
end
if #lost > 0 then redis.call('HINCRBY', ledger, 'lost', #lost) end

local next_due = redis.call('ZRANGE', retries, 0, 0, 'WITHSCORES')[2]
local wait = -1
if #skipped > 0 then wait = 50 elseif next_due then wait = math.max(0, tonumber(next_due) - now + 1) end
if policy and breaker.state == 'open' then
  wait = math.max(1, breaker.ends - now)
elseif half_open then
  wait = HALF_OPEN_MS
elseif rate and #taken == tokens then
  wait = tokens_in > 0 and tokens_in or rate.width + rate.window + rate.grace
end

-- Whoever is not given anything by intent, an open breaker or a rate that is used up, is there all the same: asking for
-- what is pending behind all entries returns nothing, and renews the time at which this consumer was heard of.
if #taken == 0 and (rate or policy and breaker.state ~= 'closed') then
  redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', 1, 'STREAMS', stream, '18446744073709551615-0')
end

local after = ''
if rate and wanted > 0 and #taken < most then
  local info = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then after = info[i + 1] end
  end
end
return { taken, lost, wait, breaker_report(breaker, policy, now), after }
