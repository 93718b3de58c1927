# A RabbitMQ that serves until standard input ends, and then removes all traces. $1 is its port; $2 and $3 are those
# that Erlang takes for itself, so that this node meets no other. $4 may name a folder that is kept, for who wants to
# kill the process in its file `pid` and see what is left.
data=${4:-$(mktemp -d)} || exit 1
export HOME="$data" ERL_EPMD_PORT="$3" ERL_EPMD_ADDRESS=127.0.0.1
trap 'epmd -kill >/dev/null 2>&1; [ "$4" ] || rm -rf "$data"' EXIT
echo '[].' >"$data/plugins"
echo 'disk_free_limit.absolute = 50MB' >"$data/rabbitmq.conf"
# It is then the server itself whose number we learn, and not that of a shell around it.
export RABBITMQ_ALLOW_INPUT=1
export RABBITMQ_NODENAME="shop$1@localhost" RABBITMQ_NODE_PORT="$1" RABBITMQ_DIST_PORT="$2"
export RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$data/rabbitmq"
export RABBITMQ_MNESIA_BASE="$data/db" RABBITMQ_LOG_BASE="$data" RABBITMQ_LOGS=-
export RABBITMQ_ENABLED_PLUGINS_FILE="$data/plugins" RABBITMQ_PID_FILE="$data/node"
# Debian's own `rabbitmq-server` insists on a user and a folder of the system.
/usr/lib/rabbitmq/bin/rabbitmq-server -noinput </dev/null >"$data/log" 2>&1 &
server=$!
echo "$server" >"$data/pid"
read -r _
# Nothing of it is needed any more, so it need not take leave of anybody.
kill -KILL "$server" 2>/dev/null
wait "$server" 2>/dev/null
