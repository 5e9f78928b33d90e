#!/bin/sh
# What our manifests use of the official image's entry point: as root it gives the data to the user
# postgres and becomes it; where there is no cluster it makes one, and then starts the server.
# A new cluster gets its name when it is whole: a half-made one is never taken for a cluster.
set -eu
: "${PGDATA:?}"

become_postgres() {
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  chown postgres: "$(dirname "$PGDATA")"
  find "$PGDATA" \! -user postgres -exec chown postgres: '{}' +
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
}

make_cluster() {
  : "${POSTGRES_PASSWORD:?the password of the superuser is missing}"
  new=$PGDATA.new
  rm -rf "$new"
  # shellcheck disable=SC2086
  printf '%s\n' "$POSTGRES_PASSWORD" | initdb --pgdata="$new" --username="${POSTGRES_USER:-postgres}" \
    --pwfile=/dev/stdin --no-instructions ${POSTGRES_INITDB_ARGS:-}
  # initdb lets in only loopback.
  printf '\nhost all all all scram-sha-256\n' >>"$new/pg_hba.conf"
  sync "$new/pg_hba.conf"
  mv -T "$new" "$PGDATA"
}

if [ "${1#-}" != "$1" ]; then
  set -- postgres "$@"
fi
if [ "$1" = postgres ]; then
  if [ "$(id -u)" = 0 ]; then
    become_postgres "$@"
  fi
  if [ ! -s "$PGDATA/PG_VERSION" ]; then
    make_cluster
  fi
  unset POSTGRES_PASSWORD
fi
exec "$@"
