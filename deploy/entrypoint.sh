#!/bin/sh
# Names the broker to a service, then becomes it. AMQP_URL from the environment wins; otherwise the broker is the one of
# this Compose project, with the password that it made at its first start (deploy/rabbitmq/entrypoint.sh). A cluster has
# several AMQP_HOSTS (deploy/compose.ha.yml); they are tried in turn.
set -eu
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
exec "$@"
