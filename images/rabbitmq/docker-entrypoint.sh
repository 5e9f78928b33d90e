#!/bin/sh
# As the upstream image's entry point: as root it gives the data to the user rabbitmq and becomes it.
# The broker itself reads RABBITMQ_DEFAULT_USER, _PASS and _VHOST.
set -eu
case ${1:-} in
  rabbitmq*)
    if [ "$(id -u)" = 0 ]; then
      find /var/lib/rabbitmq \! -user rabbitmq -exec chown rabbitmq: '{}' +
      exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups "$0" "$@"
    fi
    ;;
esac
exec "$@"
