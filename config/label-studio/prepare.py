"""What Label Studio needs before it starts: the tables of its version, the first user, a webhook.

Each part looks before it acts and is made whole or not at all, so it may be killed at any time.
Upstream's own commands make the user in four steps, and never come back to one that is missing.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import label_studio


def set_up_django() -> None:
    """Label Studio's modules are imported as from its own folder."""
    import django

    sys.path.insert(0, label_studio.__path__[0])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings.label_studio")
    django.setup()


def migrate() -> None:
    """Bring the tables to this version; the command holds a lock of the database."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("locked_migrate", no_color=True, interactive=False, verbosity=0)


def first_organization() -> Any:
    """The organization of everybody, its first user, and the token of programs."""
    from organizations.models import Organization
    from rest_framework.authtoken.models import Token

    token = os.environ["LABEL_STUDIO_USER_TOKEN"]
    organization = Organization.objects.first()
    if organization is None or not Token.objects.filter(key=token).exists():
        user = first_user()
        organization = organization or Organization.create_organization(
            created_by=user, title="Monolith"
        )
        organization.add_user(user)
        user.active_organization = organization
        user.save(update_fields=["active_organization"])
        Token.objects.filter(user=user).delete()
        Token.objects.create(user=user, key=token)
    if not organization.jwt.legacy_api_tokens_enabled:
        organization.jwt.legacy_api_tokens_enabled = True
        organization.jwt.save()
    return organization


def first_user() -> Any:
    """The administrator, made when there is none of this address."""
    from users.models import User

    email = os.environ["LABEL_STUDIO_USERNAME"].lower()
    found = User.objects.filter(email__iexact=email).first()
    return found or User.objects.create_superuser(email, os.environ["LABEL_STUDIO_PASSWORD"])


def webhook(organization: Any) -> None:
    """A webhook for all projects, empty and off: the API makes them for one project only."""
    from webhooks.models import Webhook

    if not Webhook.objects.filter(organization=organization, project=None).exists():
        nowhere = {"url": "http://webhook.invalid/", "is_active": False}
        Webhook.objects.create(organization=organization, send_for_all_actions=False, **nowhere)


def main() -> None:
    """Do all of it."""
    set_up_django()
    from django.db import transaction

    migrate()
    with transaction.atomic():
        webhook(first_organization())


if __name__ == "__main__":
    main()
