#!/bin/sh
# What our manifests use of the official image's entry point: as root it gives the folders to the
# user vault (not with SKIP_CHOWN), lets the program lock memory (not with SKIP_SETCAP), and becomes
# that user.
set -eu

own() {
  if [ "$(stat -c %u "$1")" != "$(id -u vault)" ]; then
    chown -R vault:vault "$1" || echo "could not give $1 to vault"
  fi
}

let_lock_memory() {
  program=$(command -v vault)
  setcap cap_ipc_lock=+ep "$program"
  if ! vault -version >/dev/null 2>&1; then
    echo "vault does not start with IPC_LOCK, so it goes without; see: --cap-add IPC_LOCK" >&2
    setcap cap_ipc_lock=-ep "$program"
  fi
}

case ${1:-} in
  -* | server | version) set -- vault "$@" ;;
esac
# No core dumps: they would hold keys. dash knows -c, though POSIX does not name it.
# shellcheck disable=SC3045
ulimit -c 0
if [ "${1:-}" = vault ] && [ "$(id -u)" = 0 ]; then
  if [ -z "${SKIP_CHOWN:-}" ]; then
    own /vault/config
    own /vault/logs
    own /vault/file
  fi
  if [ -z "${SKIP_SETCAP:-}" ]; then
    let_lock_memory
  fi
  exec setpriv --reuid=vault --regid=vault --init-groups "$@"
fi
exec "$@"
