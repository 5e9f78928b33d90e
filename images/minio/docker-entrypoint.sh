#!/bin/sh
# As the upstream image's entry point: the arguments may leave out the program's name.
set -eu
if [ "${1:-}" != minio ]; then
  set -- minio "$@"
fi
exec "$@"
