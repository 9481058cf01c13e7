-- Second prelude, of the scripts that know the circuit breaker of a stream and group.
--
--             too many failures              its time is over               enough successes
--   closed ──────────────────────▶ open ──────────────────────▶ half-open ───────────────────▶ closed
--                                   ▲     too many failures        │
--                                   └──────────────────────────────┘
--
-- The hash `breaker`; without it the breaker is closed:
--   state      closed, open or half-open
--   since      when it left closed                                       (all times in Redis milliseconds)
--   until      when open ends
--   opens      how often it opened without having been closed for long in between: each doubles the time
--   round      goes up whenever it opens, so that late news of probes are told from news of the present ones
--   closed_at  when it was closed last
--   probes     entries handed out as probes; one is out as long as it is pending for a thread
--   probe_ok, probe_bad   how probes of this round went
--   window     while closed: runs that ended well and badly, `bucket:ok:bad` each, of the last BUCKETS
-- The sorted set `failures`, by time: `id deliveries` of each failure in the window that raised a failed-attempt
-- count, `id deliveries held` of each that waits for its verdict (bury.lua).
--
-- A run is { id, deliveries, counts, excusable, ran, over }: whether it counts as a failure of the downstream, whether it
-- may be excused, how long ago it started, the last round that was over then if that is known. What happened to it is
-- put in `excused`.
local BUCKETS = 10
local MOST_FAILURES = 1000
local MOST_DOUBLINGS = 20
-- No run is longer (the highest TASK_TIMEOUT): so long it matters when the breaker was closed.
local KEPT_MS = 86400000

-- Nothing when this consumer has no breaker for these tasks.
local function breaker_policy(text)
  local rate, minimum, window, open, open_max, probes =
    string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
  if not rate then return nil end
  return { rate = tonumber(rate), minimum = tonumber(minimum), window = tonumber(window), open = tonumber(open),
    open_max = tonumber(open_max), probes = tonumber(probes) }
end

local function breaker_of(key)
  local v = redis.call('HMGET', key, 'state', 'since', 'until', 'opens', 'round', 'closed_at', 'probes', 'probe_ok',
    'probe_bad', 'window')
  local breaker = { key = key, state = v[1] or 'closed', since = tonumber(v[2]) or 0, ends = tonumber(v[3]) or 0,
    opens = tonumber(v[4]) or 0, round = tonumber(v[5]) or 0, closed_at = tonumber(v[6]) or 0, probes = {},
    probe_ok = tonumber(v[8]) or 0, probe_bad = tonumber(v[9]) or 0, window = v[10] or '',
    change = '', ok = 0, bad = 0 }
  for id in string.gmatch(v[7] or '', '%S+') do breaker.probes[#breaker.probes + 1] = id end
  return breaker
end

local function save_breaker(b, policy)
  redis.call('HSET', b.key, 'state', b.state, 'since', string.format('%.0f', b.since), 'until',
    string.format('%.0f', b.ends), 'opens', b.opens, 'round', b.round, 'closed_at', string.format('%.0f', b.closed_at),
    'probes', table.concat(b.probes, ' '), 'probe_ok', b.probe_ok, 'probe_bad', b.probe_bad, 'window', b.window)
  local kept = 2 * policy.window
  if b.round > 0 then kept = math.max(kept, KEPT_MS + policy.open_max) end
  redis.call('PEXPIRE', b.key, string.format('%.0f', kept))
end

-- Adds to the window, forgets what has left it, and leaves its sums in `ok` and `bad`.
local function count_runs(b, policy, now, ok, bad)
  local current = math.floor(now / math.ceil(policy.window / BUCKETS))
  local kept, found = {}, false
  b.ok, b.bad = ok, bad
  for bucket, good, failed in string.gmatch(b.window, '(%d+):(%d+):(%d+)') do
    bucket, good, failed = tonumber(bucket), tonumber(good), tonumber(failed)
    if bucket > current - BUCKETS and bucket <= current then
      b.ok, b.bad = b.ok + good, b.bad + failed
      if bucket == current then
        good, failed, found = good + ok, failed + bad, true
      end
      kept[#kept + 1] = string.format('%.0f:%.0f:%.0f', bucket, good, failed)
    end
  end
  if not found and ok + bad > 0 then kept[#kept + 1] = string.format('%.0f:%.0f:%.0f', current, ok, bad) end
  b.window = table.concat(kept, ' ')
end

local function open_breaker(b, policy, now)
  if b.state == 'closed' then
    if now - b.closed_at > math.max(policy.window, policy.open_max) then b.opens = 0 end
    b.since = now
  end
  local ms = math.min(policy.open * 2 ^ b.opens, policy.open_max)
  -- So that the breakers of many types that depend on one thing do not probe it in step.
  local jitter = tonumber(redis.call('TIME')[2]) % 1000 / 10000
  b.ends = now + math.ceil(ms * (1 + jitter))
  b.opens = math.min(b.opens + 1, MOST_DOUBLINGS)
  b.state, b.round, b.change = 'open', b.round + 1, 'opened'
  b.probes, b.probe_ok, b.probe_bad, b.window = {}, 0, 0, ''
end

-- How many probes must fail, or work out, until it is clear what is to become of the breaker.
local function probes_to_open(policy) return math.max(1, math.ceil(policy.probes * policy.rate)) end
local function probes_to_close(policy) return math.max(1, math.ceil(policy.probes * (1 - policy.rate))) end

-- Whether a run started before the breaker was closed the last time. How long ago it started was measured when its
-- outcome was sent, which may have been held up on its way since: the round tells then.
local function began_before_close(b, now, run)
  return now - run.ran < b.closed_at or run.over ~= nil and b.round > run.over
end

-- Notes the failures that count and are new; returns how many that are.
local function note_failures(b, failures, policy, now, runs)
  local noted = 0
  for _, run in ipairs(runs) do
    if run.counts and not began_before_close(b, now, run) then
      run.member = run.id .. ' ' .. run.deliveries .. (run.held and ' held' or '')
      noted = noted + redis.call('ZADD', failures, 'NX', now, run.member)
    end
  end
  redis.call('ZREMRANGEBYSCORE', failures, '-inf', now - policy.window)
  redis.call('ZREMRANGEBYRANK', failures, 0, -MOST_FAILURES - 1)
  redis.call('PEXPIRE', failures, 2 * policy.window)
  return noted
end

-- Gives back the attempts that were lost on the way to here. Those of `runs` are not counted yet.
local function refund(failures, members, attempts, runs)
  local fresh, refunded = {}, 0
  for _, run in ipairs(runs) do
    if run.member then fresh[run.member] = true end
  end
  for _, member in ipairs(members) do
    local id = string.match(member, '^(%S+) %d+$')
    if id and not fresh[member] then
      local failed, first, excused = history_of(attempts, id)
      if failed > 0 then
        remember(attempts, id, failed - 1, failed == 1 and 0 or first, excused + 1)
        refunded = refunded + 1
      end
    end
  end
  redis.call('DEL', failures)
  return refunded
end

-- Takes note of runs that have failed, opens the breaker if that is too many, and decides which of them are excused:
-- those that came to their end while it was not closed, or started before it was closed the last time.
-- Returns whether it may well open soon, and how many attempts were given back.
local function judge(b, failures, attempts, policy, now, successes, runs)
  local suspicious, refunded = false, 0
  if b.state == 'closed' then
    if policy then
      count_runs(b, policy, now, successes, note_failures(b, failures, policy, now, runs))
      if b.bad > 0 and b.bad >= policy.rate * (b.ok + b.bad) then
        local members = redis.call('ZRANGE', failures, 0, -1)
        local tasks, seen = 0, {}
        for _, member in ipairs(members) do
          local id = string.match(member, '^%S+')
          if not seen[id] then
            seen[id] = true
            tasks = tasks + 1
          end
        end
        -- One task that fails again and again while no other does is not the downstream.
        suspicious = tasks > 1 or #members == 1
        if tasks >= policy.minimum then
          refunded = refund(failures, members, attempts, runs)
          open_breaker(b, policy, now)
        end
      end
      save_breaker(b, policy)
    end
  else
    local out, left = {}, {}
    for _, id in ipairs(b.probes) do out[id] = true end
    for _, run in ipairs(runs) do
      if out[run.id] then
        out[run.id] = nil
        if run.counts then b.probe_bad = b.probe_bad + 1 end
      end
    end
    for _, id in ipairs(b.probes) do
      if out[id] then left[#left + 1] = id end
    end
    if policy and #left < #b.probes then
      b.probes = left
      if b.state == 'half-open' and b.probe_bad >= probes_to_open(policy) then
        b.bad, b.ok = b.probe_bad, b.probe_ok
        open_breaker(b, policy, now)
      end
      save_breaker(b, policy)
    end
  end
  for _, run in ipairs(runs) do
    run.excused = run.excusable and (b.state ~= 'closed' or began_before_close(b, now, run))
  end
  return suspicious, refunded
end

-- What a consumer is told of the breaker; policy may be nothing, and it is closed then.
local function breaker_report(b, policy, now)
  local state = policy and b.state or 'closed'
  local opens_in = state == 'open' and math.max(1, b.ends - now) or 0
  return { state, b.round, opens_in, b.change, b.bad, b.ok }
end
