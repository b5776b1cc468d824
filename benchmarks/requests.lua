-- For wrk: asks for the paths that the file $PATHS_FILE lists, in turn, and says on stderr what came of it:
-- requests, those that failed, microseconds in all, and the 99th percentile in microseconds.

local paths = {}
for path in io.lines(os.getenv("PATHS_FILE")) do
    paths[#paths + 1] = path
end
local place = 0

function request()
    place = place % #paths + 1
    return wrk.format("GET", paths[place])
end

function done(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.stderr:write(string.format("%d %d %d %d\n", summary.requests, failed, summary.duration, latency:percentile(99)))
end
