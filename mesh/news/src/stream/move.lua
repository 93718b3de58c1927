-- Moves the entry ARGV[1] of the stream KEYS[1] to KEYS[2], if it is still there. That keeps about ARGV[2] entries at most,
-- and none for much longer than ARGV[3] milliseconds.
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])) do
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', unpack(entry[2]))
end
redis.call('XDEL', KEYS[1], ARGV[1])
local now = redis.call('TIME')
redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%d', now[1] * 1000 - ARGV[3]))
