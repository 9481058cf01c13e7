-- Closed loop of requests. Arguments after `--`: method, body, and, if every request shall have an Idempotency-Key of
-- its own, what all of them begin with. Prints one line of JSON at the end.
-- No response() function: it would be called for each answer, and wrk would become the bottleneck.

function init(args)
  wrk.method = args[1]
  wrk.body = args[2]
  wrk.headers["Content-Type"] = "application/json"
  local prefix = args[3]
  if prefix then number_keys(prefix) end
end

-- The request is put together once; each time only the number in its key is another. Threads run this apart.
function number_keys(prefix)
  local mark = "@number@"
  wrk.headers["Idempotency-Key"] = prefix .. "-" .. tostring({}):sub(8) .. "-" .. mark
  local whole = wrk.format()
  local from, to = whole:find(mark, 1, true)
  local before, after = whole:sub(1, from - 1), whole:sub(to + 1)
  local number = 0
  function request()
    number = number + 1
    return before .. number .. after
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"durationUs":%d,"connectErrors":%d,"readErrors":%d,"writeErrors":%d,"timeouts":%d,'
      .. '"errorStatuses":%d,"p50Us":%d,"p99Us":%d,"p999Us":%d,"maxUs":%d}\n',
    summary.requests, summary.duration, errors.connect, errors.read, errors.write, errors.timeout,
    errors.status, latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max
  ))
end
