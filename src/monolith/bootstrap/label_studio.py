"""Label Studio: the token of its first user, which the service made at its start, and the flows."""

from __future__ import annotations

from monolith.bootstrap import prefect, waiting
from monolith.bootstrap.http import Api
from monolith.bootstrap.site import Site
from monolith.errors import UserError

SERVICE, PORT, TOKEN = "label-studio", 8080, "LABEL_STUDIO_USER_TOKEN"
BLOCK = "label-studio-token"

_NOT_TAKEN = (401, 403)


def connect(site: Site) -> Api:
    """Label Studio's API with the platform's token, when it answers and takes that."""
    url = site.url(SERVICE, PORT)
    waiting.until_answers(f"{url}/health", "Label Studio answers")
    headers = {"Authorization": f"Token {site.secret(SERVICE, TOKEN)}"}
    api = Api("Label Studio", url, headers)
    if api.send("GET", "/api/current-user/whoami", *_NOT_TAKEN).is_error:
        raise UserError(
            "Label Studio does not take the token of the secret store.",
            hint=f"`./monolith restart {SERVICE}`, which gives it to the first user",
        )
    return api


def ensure(site: Site) -> list[str]:
    """Check that the token opens Label Studio, and give it to the flows. Returns the changes."""
    connect(site)
    if not site.has(prefect.SERVICE):
        return []
    value = {"value": site.secret(SERVICE, TOKEN)}
    return prefect.ensure_block(prefect.connect(site), "secret", BLOCK, value)[1]
