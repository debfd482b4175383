-- Charges of one credit to many accounts, drawn by chance, each under a random idempotency key. The arguments: a file with one
-- account a line, the operator's key, and a number that no other run has.

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local accounts, headers = {}, nil

function init(arguments)
  for account in io.lines(arguments[1]) do
    accounts[#accounts + 1] = '{"account_id":"' .. account .. '","credits":1}'
  end
  math.randomseed(os.time() * 1000 + tonumber(arguments[3]) * 100 + number)
  headers = { ["Authorization"] = "Bearer " .. arguments[2], ["Content-Type"] = "application/json" }
end

function request()
  headers["Idempotency-Key"] = string.format("%08x-%08x-%08x-%08x",
    math.random(0, 0x7fffffff), math.random(0, 0x7fffffff), math.random(0, 0x7fffffff), math.random(0, 0x7fffffff))
  return wrk.format("POST", nil, headers, accounts[math.random(#accounts)])
end

-- One line that a program can read: see load.rs.
function done(summary, latency)
  local errors = summary.errors
  print(string.format("measured %d %d %d %d %d %d",
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status,
    latency:percentile(50), latency:percentile(99)))
end
