#!/bin/sh
# Names the broker to a service and runs it. AMQP_URL from the environment wins; otherwise the broker is the one of
# this Compose project, with the password that it made at its first start (deploy/rabbitmq/entrypoint.sh). A cluster has
# several AMQP_HOSTS (deploy/compose.ha.yml); they are tried in turn.
set -eu

# The operator's command finds its broker itself, and may go without one; the terminal is its own.
[ "${1:-}" != framefleet ] || exec "$@"

password=/run/framefleet/password
if [ -z "${AMQP_URL:-}" ]; then
  if [ ! -r "$password" ]; then
    echo "framefleet: there is no $password: set AMQP_URL, or start with docker compose" >&2
    exit 2
  fi
  AMQP_URL=
  for host in ${AMQP_HOSTS:-rabbitmq}; do
    AMQP_URL="${AMQP_URL:+$AMQP_URL,}amqp://framefleet:$(cat "$password")@$host:5672/"
  done
  export AMQP_URL
fi

for url in $(echo "$AMQP_URL" | tr , ' '); do
  host=${url#*://}
  host=${host%%/*}
  case ${host##*@} in
    127.* | localhost | localhost:* | '[::1]'*)
      echo "framefleet: AMQP_URL names ${host##*@}, which is this container itself: a broker on the machine that runs Docker" \
        "is host.docker.internal here, if it listens on more than loopback" >&2
      exit 2
      ;;
  esac
done

# All of .env comes to every service. What is another one's business, its secrets above all, is not kept.
case "$*" in
  *" worker"*) foreign='GATEWAY_.*|PRODUCER_.*|GRAFANA_.*|DATABASE_URL|SOURCE|CAMERAS' ;;
  *" producer"*) foreign='GATEWAY_.*|WORKER_.*|GRAFANA_.*|DATABASE_URL|REDIS_URL' ;;
  *" gateway"*) foreign='WORKER_.*|PRODUCER_.*|GRAFANA_.*|SOURCE|CAMERAS' ;;
  *) foreign=none ;;
esac
for name in $(env | sed -nE "s/^($foreign)=.*/\1/p"); do unset "$name"; done

# Folders of the host that are mounted: this user is not their owner.
for folder in /models /footage /cameras; do
  [ -e "$folder" ] || continue
  closed=$(find "$folder" ! -readable -print 2>/dev/null | head -n 1)
  if [ -n "$closed" ]; then
    case $folder in /models) setting=MODEL_DIR ;; /footage) setting=FOOTAGE_DIR ;; *) setting=CAMERAS_DIR ;; esac
    echo "framefleet: $closed cannot be read: the folder of $setting is mounted as $folder and this service runs as user" \
      "$(id -u). On the host: chmod -R a+rX THAT_FOLDER" >&2
  fi
done

# How the gateway is reached is decided by what Compose publishes; it knows only its own side. Behind a proxy, which knows
# better, this is only how this machine reaches it: a public address would go before what the proxy says.
if [ -n "${GATEWAY_BIND:-}" ] && [ -z "${GATEWAY_PUBLIC_URL:-}" ]; then
  setting=GATEWAY_PUBLIC_URL
  host=$GATEWAY_BIND
  case $GATEWAY_BIND in
    127.* | localhost) host=127.0.0.1 ;;
    0.0.0.0 | :: | '[::]') host=127.0.0.1 setting=GATEWAY_PUBLISHED_URL ;;
  esac
  [ -z "${GATEWAY_TRUSTED_PROXIES:-}" ] || setting=GATEWAY_PUBLISHED_URL
  export "$setting=http://$host:$GATEWAY_PUBLISHED_PORT"
fi

# The service is a child, so that somebody is left to say why it is gone: where memory is used up, the kernel ends the
# largest process without a word. Signals are passed on; what it makes of them is its own.
"$@" &
child=$!
trap 'kill -s TERM "$child" 2>/dev/null || true' TERM INT
status=0
wait "$child" || status=$?
while kill -s 0 "$child" 2>/dev/null; do # a signal ended the waiting, not the child
  status=0
  wait "$child" || status=$?
done
if [ "$status" = 137 ]; then
  # Control groups of version 2, and of version 1.
  kills=$(cat ${FRAMEFLEET_MEMORY_EVENTS:-/sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control} 2>/dev/null |
    sed -n 's/^oom_kill \([0-9]*\)$/\1/p' | head -n 1)
  if [ "${kills:-0}" -gt 0 ]; then
    echo "framefleet: $* was killed because this container's memory (mem_limit in docker-compose.yml) was used up" >&2
  else
    echo "framefleet: $* was killed (SIGKILL), and not by this container's limit of memory" >&2
  fi
fi
exit "$status"
