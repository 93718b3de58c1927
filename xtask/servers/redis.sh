# A Redis that serves until standard input ends, and then removes all traces. $1 is its port.
# Every command is on disk before it is answered, as in production.
data=$(mktemp -d) || exit 1
trap 'rm -rf "$data"' EXIT
redis-server --bind 127.0.0.1 --port "$1" --dir "$data" --save '' --appendonly yes --appendfsync always \
    </dev/null >"$data/log" 2>&1 &
server=$!
read -r _
kill -TERM "$server" 2>/dev/null
wait "$server" || tail -n 20 "$data/log" >&2
