#!/bin/sh
# STAND-IN for Plane's script of this name.
set -e
python manage.py wait_for_db
exec python manage.py migrate
