#!/bin/sh
# As the upstream image's entry point: arguments are those of n8n.
set -eu
if [ -d /opt/custom-certificates ]; then
  export NODE_OPTIONS="--use-openssl-ca ${NODE_OPTIONS:-}" SSL_CERT_DIR=/opt/custom-certificates
fi
exec n8n "$@"
