#!/bin/sh
# Makes the password of the broker's only user at the first start, then becomes the broker: nobody, not even on this
# machine, gets in as guest/guest. The password is kept beside the broker's data, because the user is kept there too;
# the services read a copy in a volume that holds nothing else.
set -eu
umask 077
kept=/var/lib/rabbitmq/framefleet-password
shared=/run/framefleet/password
secret() { # FILE, made up if it is not there
  if [ ! -s "$1" ]; then
    od -An -tx1 -N24 /dev/urandom | tr -d ' \n' >"$1.new"
    mv "$1.new" "$1"
  fi
}
# Whoever has the cookie commands the broker, and Erlang would make one that can be guessed, out of the time. So there is
# always one of our own. The members of a cluster (deploy/compose.ha.yml) share it and the password: any of them may be
# the one that makes the user. The first member hands both to the others, which wait for them.
cookie=/var/lib/rabbitmq/framefleet-cookie
cluster=/run/framefleet-cluster
if [ "${FRAMEFLEET_MEMBER:-first}" = first ]; then
  secret "$kept"
else
  until [ -s "$cluster/cookie" ]; do sleep 1; done
  install -m 400 "$cluster/password" "$kept"
fi
if [ -n "${FRAMEFLEET_MEMBER:-}" ]; then
  if [ "$FRAMEFLEET_MEMBER" = first ]; then
    install -m 400 "$kept" "$cluster/password"
    secret "$cluster/cookie"
  fi
  cookie=$cluster/cookie
  conf=/etc/rabbitmq/conf.d
  framefleet-others "$conf/70-cluster.conf" "rabbit@$(hostname)" >"$conf/80-others.conf"
else
  secret "$cookie"
fi
install -m 400 "$cookie" /var/lib/rabbitmq/.erlang.cookie
install -m 444 "$kept" "$shared.new"
mv "$shared.new" "$shared"
RABBITMQ_DEFAULT_USER=framefleet
RABBITMQ_DEFAULT_PASS=$(cat "$kept")
export RABBITMQ_DEFAULT_USER RABBITMQ_DEFAULT_PASS
# Erlang reserves memory for as many files as it may open, and some Docker engines allow a thousand million.
files=$(ulimit -n)
if [ "$files" = unlimited ] || [ "$files" -gt 65536 ]; then ulimit -n 65536; fi
exec docker-entrypoint.sh "$@"
