#!/bin/sh
# STAND-IN for Plane's script of this name. Like there, celery is a child that gets no stop signal.
set -e
python manage.py wait_for_db
python manage.py wait_for_migrations
celery -A plane worker -l info
