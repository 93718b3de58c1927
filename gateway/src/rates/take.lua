-- Takes from the bucket KEYS[1], which holds ARGV[1] tokens and gets ARGV[2] a second, the ARGV[3] that are asked for.
-- Answers 0, or the microseconds until there are as many. Kept is the time, in microseconds, at which the bucket is full.
local burst, per_second, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local each = 1000000 / per_second
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + cost * each
local wait = full - burst * each - now
if wait > 0 then
  return math.ceil(wait)
end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return 0
