# A PostgreSQL that serves until standard input ends, which happens however the program that holds it ends, and then
# removes all traces. $1 is the folder of the server's programs, $2 its port, $3 how many may connect.
#
# The settings give up what only matters after a loss of power. It trusts whoever reaches it, which is this machine
# only, for some minutes, and holds nothing but test data. Who asks for TLS gets it, with a certificate that nobody signed.
data=$(mktemp -d) || exit 1
trap 'rm -rf "$data"' EXIT
if ! "$1/initdb" -D "$data/db" -U shop -A trust -E UTF8 --no-locale --no-sync >"$data/log" 2>&1; then
    cat "$data/log" >&2
    exit 1
fi
if ! openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2 \
    -keyout "$data/db/server.key" -out "$data/db/server.crt" >"$data/log" 2>&1; then
    cat "$data/log" >&2
    exit 1
fi
chmod 600 "$data/db/server.key"
"$1/postgres" -D "$data/db" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c full_page_writes=off -c max_connections="$3" -c ssl=on </dev/null >"$data/log" 2>&1 &
server=$!
read -r _
kill -INT "$server" 2>/dev/null
wait "$server" || tail -n 20 "$data/log" >&2
