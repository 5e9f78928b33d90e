"""STAND-IN. The management commands that Plane's start scripts call, by their names."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence

from plane.contract import backend_problems, refuse
from plane.database import connect, insert, one
from plane.migrations import changed_secrets, migrate, missing, note_secrets

VERSION = "v1.4.2-stand-in"
# Read from the environment at the first start only; afterwards the database owns them.
SEEDS = {
    "ENABLE_SIGNUP": ("1", "AUTHENTICATION"),
    "ENABLE_EMAIL_PASSWORD": ("1", "AUTHENTICATION"),
    "ENABLE_MAGIC_LINK_LOGIN": ("0", "AUTHENTICATION"),
    "DISABLE_WORKSPACE_CREATION": ("0", "WORKSPACE_MANAGEMENT"),
    "IS_GOOGLE_ENABLED": ("0", "AUTHENTICATION"),
    "IS_GITHUB_ENABLED": ("0", "AUTHENTICATION"),
    "IS_GITLAB_ENABLED": ("0", "AUTHENTICATION"),
    "IS_GITEA_ENABLED": ("0", "AUTHENTICATION"),
    "ENABLE_SMTP": ("0", "SMTP"),
    "EMAIL_HOST": ("", "SMTP"),
    "EMAIL_PORT": ("587", "SMTP"),
    "EMAIL_FROM": ("", "SMTP"),
    "LLM_API_KEY": ("", "AI"),
}


def say(text: str) -> None:
    """A line for the log, which names what speaks."""
    sys.stdout.write(f"plane-backend (stand-in, not Plane): {text}\n")


def wait_for_db(_: Sequence[str]) -> None:
    """As in Plane, in spite of its name: nobody is asked, and nothing waited for."""
    say("a database is configured")


def wait_for_migrations(_: Sequence[str]) -> None:
    """Wait as long as it takes for the migrator, then see that the secrets fit the database."""
    while True:
        with connect() as db:
            if not (steps := missing(db)):
                refuse("plane-backend", changed_secrets(db, os.environ))
                return
        say(f"waiting for {len(steps)} migrations")
        time.sleep(10)


def run_migrations(_: Sequence[str]) -> None:
    """Bring the database up to date."""
    with connect() as db:
        done = migrate(db)
        note_secrets(db, os.environ)
        refuse("plane-backend", changed_secrets(db, os.environ))
    say(f"migrations done: {', '.join(done) or 'none were missing'}")


def register_instance(_: Sequence[str]) -> None:
    """Give this installation an identity, once; a first report is queued before anyone is asked."""
    from plane.celery import later

    with connect() as db:
        if one(db, "SELECT id FROM instances") is None:
            name, identity = "Plane Community Edition (stand-in)", secrets.token_hex(12)
            insert(db, "instances", instance_name=name, instance_id=identity,
                   current_version=VERSION, latest_version=VERSION)  # fmt: skip
    later("instance_traces")
    say("instance registered")


def configure_instance(_: Sequence[str]) -> None:
    """Take settings from the environment that the database does not have yet."""
    statement = (
        "INSERT INTO instance_configurations (key, value, category) VALUES (%s, %s, %s)"
        " ON CONFLICT (key) DO NOTHING"
    )
    with connect() as db:
        for key, (default, category) in SEEDS.items():
            db.execute(statement, [key, os.environ.get(key, default), category])
    say("settings are in the database")


def create_bucket(_: Sequence[str]) -> None:
    """See that the bucket is there."""
    from botocore.exceptions import BotoCoreError, ClientError

    from plane.storage import ensure_bucket

    try:
        say(f"bucket {os.environ['AWS_S3_BUCKET_NAME']}: {ensure_bucket()}")
    except (BotoCoreError, ClientError) as problem:
        refuse("plane-backend", [f"AWS_S3_ENDPOINT_URL: {problem}"])


def clear_cache(_: Sequence[str]) -> None:
    """Empty the whole database of the cache, as Plane does at every start."""
    from plane.cache import valkey

    valkey().flushdb()
    say("cache emptied")


def create_instance_admin(arguments: Sequence[str]) -> None:
    """Make a user who exists an administrator."""
    with connect() as db:
        user = one(db, "SELECT id FROM users WHERE email = %s", *arguments[:1] or [""])
        if user is None:
            raise SystemExit("User with the provided email does not exist.")
        if one(db, "SELECT id FROM instance_admins WHERE user_id = %s", user["id"]):
            raise SystemExit("The provided email is already an instance admin.")
        insert(db, "instance_admins", user_id=user["id"])
    say("Successfully created the admin")


def collectstatic(_: Sequence[str]) -> None:
    """Nothing to collect: the files are in the image."""


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "wait_for_db": wait_for_db,
    "wait_for_migrations": wait_for_migrations,
    "migrate": run_migrations,
    "register_instance": register_instance,
    "configure_instance": configure_instance,
    "create_bucket": create_bucket,
    "clear_cache": clear_cache,
    "collectstatic": collectstatic,
    "create_instance_admin": create_instance_admin,
    "check": lambda _: None,
}


def main(arguments: Sequence[str]) -> None:
    """Run one command; `--api` asks for what only the serving process needs."""
    if not arguments or arguments[0] not in COMMANDS:
        raise SystemExit(f"plane-backend (stand-in): knows only {', '.join(COMMANDS)}")
    refuse("plane-backend", backend_problems(os.environ, api="--api" in arguments))
    COMMANDS[arguments[0]](arguments[1:])
