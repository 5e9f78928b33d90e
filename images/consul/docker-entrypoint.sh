#!/bin/sh
# What our manifests use of the official image's entry point: `agent` gets the folders of data and
# configuration; as root it gives them to the user consul (not with CONSUL_DISABLE_PERM_MGMT) and
# becomes that user.
set -eu

own() {
  if [ "$(stat -c %u "$1")" != "$(id -u consul)" ]; then
    chown consul:consul "$1"
  fi
}

case ${1:-} in
  -* | version) set -- consul "$@" ;;
  agent)
    shift
    set -- consul agent -data-dir=/consul/data -config-dir=/consul/config "$@"
    ;;
esac
if [ "${1:-}" = consul ] && [ "$(id -u)" = 0 ] && [ -z "${CONSUL_DISABLE_PERM_MGMT+set}" ]; then
  own /consul/data
  own /consul/config
  exec setpriv --reuid=consul --regid=consul --init-groups "$@"
fi
exec "$@"
