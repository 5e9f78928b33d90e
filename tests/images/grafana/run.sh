#!/bin/sh
exec python3 /srv/grafana/server.py
