#!/bin/sh
# Makes the password of the broker's only user at the first start, then becomes the broker: nobody, not even on this
# machine, gets in as guest/guest. The password is kept beside the broker's data, because the user is kept there too;
# the services read a copy in a volume that holds nothing else.
set -eu
kept=/var/lib/rabbitmq/framefleet-password
shared=/run/framefleet/password
if [ ! -s "$kept" ]; then
  (umask 077 && od -An -tx1 -N24 /dev/urandom | tr -d ' \n' >"$kept.new")
  mv "$kept.new" "$kept"
fi
install -m 444 "$kept" "$shared.new"
mv "$shared.new" "$shared"
RABBITMQ_DEFAULT_USER=framefleet
RABBITMQ_DEFAULT_PASS=$(cat "$kept")
export RABBITMQ_DEFAULT_USER RABBITMQ_DEFAULT_PASS
# Erlang reserves memory for as many files as it may open, and some Docker engines allow a thousand million.
files=$(ulimit -n)
if [ "$files" = unlimited ] || [ "$files" -gt 65536 ]; then ulimit -n 65536; fi
exec docker-entrypoint.sh "$@"
