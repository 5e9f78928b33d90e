#!/bin/sh
# STAND-IN for Plane's script of this name: the same steps in the same order.
set -e
python manage.py check --api
python manage.py wait_for_db
python manage.py wait_for_migrations
python manage.py register_instance
python manage.py configure_instance
python manage.py create_bucket
python manage.py clear_cache
python manage.py collectstatic
exec uvicorn plane.asgi:application --workers "$GUNICORN_WORKERS" \
  --host 0.0.0.0 --port "${PORT:-8000}" --proxy-headers --forwarded-allow-ips '*'
