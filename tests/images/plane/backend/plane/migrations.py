"""STAND-IN. The tables, in steps that are each done once; the list of done steps is Django's."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from plane.database import Db, every, one

LOCK = 7_526_331
BASE = """id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()"""
DONE = """CREATE TABLE IF NOT EXISTS django_migrations (id bigserial PRIMARY KEY,
app text NOT NULL, name text NOT NULL UNIQUE, applied timestamptz NOT NULL DEFAULT now())"""


def table(name: str, columns: str) -> str:
    """A table with the columns that all of Plane's tables have."""
    return f"CREATE TABLE {name} ({BASE}, {columns})"


PROJECT = """workspace uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
project uuid NOT NULL REFERENCES projects ON DELETE CASCADE, created_by uuid REFERENCES users"""

STEPS: dict[str, tuple[str, ...]] = {
    "0001_users": (
        table("users", "email text NOT NULL UNIQUE, password text NOT NULL, first_name text NOT"
              " NULL DEFAULT '', last_name text NOT NULL DEFAULT '', last_login_uagent text NOT"
              " NULL, is_active boolean NOT NULL DEFAULT true"),
        "CREATE TABLE sessions (session_key text PRIMARY KEY, is_admin boolean NOT NULL,"
        " user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE, expires timestamptz NOT NULL)",
        table("api_tokens", "label text NOT NULL, description text NOT NULL DEFAULT '',"
              " token text NOT NULL UNIQUE, user_id uuid NOT NULL REFERENCES users ON DELETE"
              " CASCADE, is_active boolean NOT NULL DEFAULT true, last_used timestamptz,"
              " expired_at timestamptz, allowed_rate_limit text NOT NULL DEFAULT '60/min'"),
    ),
    "0002_instances": (
        table("instances", "instance_name text NOT NULL, instance_id text NOT NULL UNIQUE,"
              " current_version text NOT NULL, latest_version text, edition text NOT NULL DEFAULT"
              " 'PLANE_COMMUNITY', domain text NOT NULL DEFAULT '', namespace text,"
              " last_checked_at timestamptz NOT NULL DEFAULT now(),"
              " is_telemetry_enabled boolean NOT NULL DEFAULT true, is_support_required boolean"
              " NOT NULL DEFAULT true, is_setup_done boolean NOT NULL DEFAULT false,"
              " is_signup_screen_visited boolean NOT NULL DEFAULT false,"
              " is_verified boolean NOT NULL DEFAULT false,"
              " is_test boolean NOT NULL DEFAULT false"),
        table("instance_admins", "user_id uuid NOT NULL UNIQUE REFERENCES users ON DELETE CASCADE"),
        table("instance_configurations", "key text NOT NULL UNIQUE, value text,"
              " category text NOT NULL, is_encrypted boolean NOT NULL DEFAULT false"),
        "CREATE TABLE stand_in_telemetry (at timestamptz NOT NULL DEFAULT now(), endpoint text)",
        "CREATE TABLE stand_in_secrets (name text PRIMARY KEY, mark text NOT NULL)",
        "CREATE TABLE stand_in_beat (only_row boolean PRIMARY KEY, at timestamptz NOT NULL)",
    ),
    "0003_workspaces": (
        table("workspaces", "name text NOT NULL, slug text NOT NULL UNIQUE, organization_size text,"
              " owner uuid NOT NULL REFERENCES users, timezone text NOT NULL DEFAULT 'UTC'"),
        table("workspace_members", "workspace uuid NOT NULL REFERENCES workspaces ON DELETE"
              " CASCADE, member uuid NOT NULL REFERENCES users ON DELETE CASCADE,"
              " role int NOT NULL, UNIQUE (workspace, member)"),
        table("projects", "workspace uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,"
              " name text NOT NULL, identifier text NOT NULL, description text NOT NULL DEFAULT '',"
              " network int NOT NULL DEFAULT 2, created_by uuid REFERENCES users,"
              " UNIQUE (workspace, name), UNIQUE (workspace, identifier)"),
        table("states", PROJECT + ", name text NOT NULL, color text NOT NULL, sequence float NOT"
              " NULL, \"group\" text NOT NULL, \"default\" boolean NOT NULL DEFAULT false"),
        table("file_assets", "workspace uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,"
              " created_by uuid REFERENCES users, entity_type text NOT NULL, attributes jsonb NOT"
              " NULL, asset text NOT NULL, size bigint NOT NULL, is_uploaded boolean NOT NULL"
              " DEFAULT false"),
        table("webhooks", "workspace uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,"
              " url text NOT NULL, secret_key text NOT NULL, is_active boolean NOT NULL DEFAULT"
              " true, UNIQUE (workspace, url)"),
    ),
    "0004_issues": (
        table("issues", PROJECT + ", name text NOT NULL, description_html text NOT NULL,"
              " priority text NOT NULL, state uuid NOT NULL REFERENCES states, sequence_id int NOT"
              " NULL, external_source text, external_id text, UNIQUE (project, sequence_id)"),
        table("issue_links", PROJECT + ", issue uuid NOT NULL REFERENCES issues ON DELETE CASCADE,"
              " title text, url text NOT NULL, metadata jsonb NOT NULL DEFAULT '{}',"
              " UNIQUE (issue, url)"),
        table("issue_comments", PROJECT + ", issue uuid NOT NULL REFERENCES issues ON DELETE"
              " CASCADE, comment_html text NOT NULL"),
        table("labels", PROJECT + ", name text NOT NULL, color text NOT NULL DEFAULT '',"
              " UNIQUE (project, name)"),
        table("issue_activities", PROJECT + ", issue uuid NOT NULL REFERENCES issues ON DELETE"
              " CASCADE, verb text NOT NULL, field text, comment text NOT NULL, epoch float"),
    ),
    "0005_api_activity_logs": (
        table("api_activity_logs", "token_identifier text NOT NULL, path text NOT NULL,"
              " method text NOT NULL"),
    ),
    "0006_webhooks": (
        *(f"ALTER TABLE webhooks ADD COLUMN {name} boolean NOT NULL DEFAULT false"
          for name in ("project", "issue", "module", "cycle", "issue_comment")),
        table("webhook_logs", "webhook uuid NOT NULL REFERENCES webhooks ON DELETE CASCADE,"
              " event_type text NOT NULL, response_status int NOT NULL"),
    ),
}  # fmt: skip


def missing(db: Db) -> list[str]:
    """The steps that are still to do."""
    found = one(db, "SELECT to_regclass('django_migrations') AS there")
    if found is None or found["there"] is None:
        return list(STEPS)
    done = {row["name"] for row in every(db, "SELECT name FROM django_migrations")}
    return [name for name in STEPS if name not in done]


def migrate(db: Db) -> list[str]:
    """Do what is missing, one process at a time, and give the names of what was done."""
    db.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    db.execute(DONE)
    todo = missing(db)
    for name in todo:
        for statement in STEPS[name]:
            db.execute(statement)
        db.execute("INSERT INTO django_migrations (app, name) VALUES ('db', %s)", [name])
    return todo


def mark(secret: str) -> str:
    """Something to know a secret by that tells nothing about it."""
    return hmac.new(secret.encode(), b"plane stand-in", hashlib.sha256).hexdigest()


def note_secrets(db: Db, env: Mapping[str, str]) -> None:
    """Keep the first SECRET_KEY, for good, and the newest LIVE_SERVER_SECRET_KEY."""
    note = "INSERT INTO stand_in_secrets VALUES (%s, %s) ON CONFLICT (name) DO "
    db.execute(note + "NOTHING", ["SECRET_KEY", mark(env["SECRET_KEY"])])
    name = "LIVE_SERVER_SECRET_KEY"
    db.execute(note + "UPDATE SET mark = excluded.mark", [name, mark(env[name])])


def changed_secrets(db: Db, env: Mapping[str, str]) -> list[str]:
    """What no longer fits this database: Plane could not read its settings any more."""
    known = {row["name"]: row["mark"] for row in every(db, "SELECT * FROM stand_in_secrets")}
    why = {
        "SECRET_KEY": "is not the one this database was set up with",
        "LIVE_SERVER_SECRET_KEY": "is not the one that the migrator had",
    }
    return [f"{name} {why[name]}" for name in known if known[name] != mark(env[name])]
