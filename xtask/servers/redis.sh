# A Redis that serves until standard input ends, and then removes all traces. $1 is its port.
# Every command is written down before it is answered, as in production; into memory where that is a folder, since who asks
# waits for 140 ms and a machine under test may write for longer. $2 may name a folder that is kept, for who wants to kill
# the process in its file `pid` and see what is left.
[ -w /dev/shm ] && export TMPDIR=/dev/shm
data=${2:-$(mktemp -d)} || exit 1
trap '[ "$2" ] || rm -rf "$data"' EXIT
redis-server --bind 127.0.0.1 --port "$1" --dir "$data" --save '' --appendonly yes --appendfsync always \
    </dev/null >"$data/log" 2>&1 &
server=$!
echo "$server" >"$data/pid"
read -r _
# Asked to end, one that is just beginning its append-only file refuses for good; and nothing of it is needed any more.
kill -KILL "$server" 2>/dev/null
wait "$server" 2>/dev/null
