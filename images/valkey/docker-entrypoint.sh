#!/bin/sh
# As the upstream image's entry point: arguments alone are those of the server, and as root it gives
# the working folder to the user valkey and becomes it.
set -eu
case ${1:-} in
  -* | *.conf) set -- valkey-server "$@" ;;
esac
if [ "${1:-}" = valkey-server ] && [ "$(id -u)" = 0 ]; then
  find . \! -user valkey -exec chown valkey '{}' +
  exec setpriv --reuid=valkey --regid=valkey --init-groups "$0" "$@"
fi
# Files that it writes are for it alone.
if [ "$(umask)" = 0022 ]; then
  umask 0077
fi
exec "$@"
