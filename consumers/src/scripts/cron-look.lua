-- When cron schedules last ran. Schedules that are not known yet become known now.
--
-- KEYS  runs
-- ARGV  ms after which a schedule that no consumer has is forgotten, most schedules to know, then per schedule:
--       name, its next run as the asker sees it or 0
-- Returns { now in ms, last run per schedule, or -1 where there is no room for one more }
--
-- Atomic because two consumers that see a new schedule for the first time must agree on when that was.
local runs = KEYS[1]
local forget_after, most = tonumber(ARGV[1]), tonumber(ARGV[2])

-- How old the note of when a schedule was last seen may get: each change is a write.
local FRESH_MS = 3600000

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function write(name, last, next_run)
  redis.call('HSET', runs, name, string.format('%.0f:%.0f:%.0f', last, next_run, now))
end

local function read(name)
  local last, next_run, seen = string.match(redis.call('HGET', runs, name) or '', '^(%d+):(%d+):(%d+)$')
  return tonumber(last), tonumber(next_run), tonumber(seen)
end

local function forget_the_unseen()
  for _, name in ipairs(redis.call('HKEYS', runs)) do
    local _, _, seen = read(name)
    if not seen or seen + forget_after < now then redis.call('HDEL', runs, name) end
  end
end

local replies = {}
local tidied = false
for i = 3, #ARGV, 2 do
  local name, wanted_next = ARGV[i], tonumber(ARGV[i + 1])
  local last, next_run, seen = read(name)
  if (not last or seen + FRESH_MS < now) and not tidied then
    -- Keep our own ones, even if they were not seen for long: their last run still counts.
    for j = 3, #ARGV, 2 do
      local one, its_next = read(ARGV[j])
      if one then write(ARGV[j], one, its_next) end
    end
    forget_the_unseen()
    tidied = true
    last, next_run = read(name)
  end
  if last then
    -- Its pattern may have changed. What is not after the last run is somebody's old idea of it.
    if wanted_next > last and wanted_next ~= next_run then write(name, last, wanted_next) end
    replies[#replies + 1] = last
  elseif redis.call('HLEN', runs) >= most then
    replies[#replies + 1] = -1
  else
    write(name, now, 0)
    replies[#replies + 1] = now
  end
end
return { now, replies }
