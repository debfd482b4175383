-- Balance reads with many keys in turn. The argument is a file with one key a line.
-- The requests are built before the load begins, so that building them is no part of it.

local requests, last = {}, 0

function init(arguments)
  for key in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, { ["ZF-API-KEY"] = key }, "")
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

-- One line that a program can read: see src/wrk.rs.
function done(summary, latency)
  local errors = summary.errors
  print(string.format("measured %d %d %d %d", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
