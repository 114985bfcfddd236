#!/bin/sh
# Names the broker to a service, then becomes it. AMQP_URL from the environment wins; otherwise the broker is the one of
# this Compose project, with the password that it made at its first start (deploy/rabbitmq/entrypoint.sh).
set -eu
password=/run/framefleet/password
if [ -z "${AMQP_URL:-}" ]; then
  if [ ! -r "$password" ]; then
    echo "framefleet: there is no $password: set AMQP_URL, or start with docker compose" >&2
    exit 2
  fi
  export AMQP_URL="amqp://framefleet:$(cat "$password")@rabbitmq:5672/"
fi
exec "$@"
