#!/bin/sh
# STAND-IN for Plane's script of this name.
set -e
python manage.py wait_for_db
python manage.py wait_for_migrations
celery -A plane beat -l info
