"""The workflows of `config/n8n/workflows`, brought into n8n without taking anybody's work away.

Each has a note with a mark of what came from here. What was changed by people has another content
than its mark says, and is left alone; what was not is brought up to date. One that they renamed is
not brought in again while it is published.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from monolith.bootstrap.http import Api

Workflow = dict[str, Any]

_NOTE, _WEBHOOK = "n8n-nodes-base.stickyNote", "n8n-nodes-base.webhook"
_MARK = "\n\nFrom the platform, version "
_LEFT = ". Changed by you, it is left alone."
# Where a workflow is until it is published: one with its own name was, once.
_UNFINISHED = " (being set up)"
# What is not content: where a node stands, and which of this installation's credentials it uses.
_INCIDENTAL = {"id", "position", "credentials", "webhookId"}


def ensure(api: Api, folder: Path, credentials: dict[str, str]) -> list[str]:
    """Import and publish what is new, update what is ours. Returns what was changed, in words.

    A workflow without one of its credentials would take anything from anybody: it waits.
    """
    files = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]
    ready = [one for one in files if _needs(one) <= credentials.keys()]
    there = every(api, "/workflows") if ready else []
    return [change for one in ready for change in _ensure(api, bound(one, credentials), there)]


def every(api: Api, path: str) -> list[dict[str, Any]]:
    """All entries of a list, which comes in pages."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 100}
    while True:
        page = api.get(path, params=query)
        found += page["data"]
        if not page.get("nextCursor"):
            return found
        query["cursor"] = page["nextCursor"]


def bound(file: Workflow, credentials: dict[str, str]) -> Workflow:
    """A file's workflow for this installation: with ids of credentials, and the mark."""
    nodes = [_with_ids(node, credentials) for node in file["nodes"]]
    made = mark(file)
    return {**file, "nodes": [_with_mark(node, made) if _is_note(node) else node for node in nodes]}


def mark(workflow: Workflow) -> str:
    """Tells whether two workflows do the same."""
    nodes = [_content(node) for node in workflow["nodes"] if not _is_note(node)]
    nodes.sort(key=lambda node: str(node["name"]))
    text = json.dumps([nodes, workflow["connections"]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def is_ours(workflow: Workflow) -> bool:
    """Whether it does what its note says that came from here."""
    notes = [str(node["parameters"].get("content")) for node in workflow["nodes"] if _is_note(node)]
    return any(f"{_MARK}{mark(workflow)}{_LEFT}" in note for note in notes)


def _ensure(api: Api, wanted: Workflow, there: list[Workflow]) -> list[str]:
    name, named = wanted["name"], {one["name"]: one for one in there}
    if found := named.get(name):
        return _update(api, wanted, found)
    if any(_takes_its_place(one, wanted) for one in there):
        return []
    new = named.get(name + _UNFINISHED) or api.post("/workflows", _unfinished(wanted))
    api.send("POST", f"/workflows/{new['id']}/activate")
    api.send("PUT", f"/workflows/{new['id']}", json=wanted)
    return [f"workflow {name}"]


def _takes_its_place(other: Workflow, wanted: Workflow) -> bool:
    """Whether it listens where the wanted one would: n8n publishes only one of them."""
    is_unfinished = other["name"] == wanted["name"] + _UNFINISHED
    return other["active"] and not is_unfinished and bool(paths(other) & paths(wanted))


def paths(workflow: Workflow) -> set[str]:
    """Where its webhooks listen."""
    hooks = [node for node in workflow["nodes"] if node["type"] == _WEBHOOK]
    return {str(node["parameters"].get("path")) for node in hooks}


def _unfinished(wanted: Workflow) -> Workflow:
    return {**wanted, "name": wanted["name"] + _UNFINISHED}


def _update(api: Api, wanted: Workflow, found: Workflow) -> list[str]:
    """One that is published is published anew; one that people switched off stays off."""
    if found.get("isArchived") or not is_ours(found) or _is_the_same(wanted, found):
        return []
    api.send("PUT", f"/workflows/{found['id']}", json=wanted)
    return [f"new version of workflow {wanted['name']}"]


def _is_the_same(wanted: Workflow, found: Workflow) -> bool:
    return mark(wanted) == mark(found) and _used(wanted) == _used(found)


def _used(workflow: Workflow) -> set[str]:
    """Ids of the credentials."""
    return {
        str(one.get("id"))
        for node in workflow["nodes"]
        for one in node.get("credentials", {}).values()
    }


def _needs(workflow: Workflow) -> set[str]:
    """Names of the credentials."""
    return {
        str(one["name"])
        for node in workflow["nodes"]
        for one in node.get("credentials", {}).values()
    }


def _with_ids(node: dict[str, Any], credentials: dict[str, str]) -> dict[str, Any]:
    if "credentials" not in node:
        return node
    found = {
        kind: {"id": credentials[one["name"]], "name": one["name"]}
        for kind, one in node["credentials"].items()
    }
    return {**node, "credentials": found}


def _with_mark(node: dict[str, Any], made: str) -> dict[str, Any]:
    content = f"{node['parameters']['content']}{_MARK}{made}{_LEFT}"
    return {**node, "parameters": {**node["parameters"], "content": content}}


def _content(node: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name not in _INCIDENTAL}


def _is_note(node: dict[str, Any]) -> bool:
    return bool(node["type"] == _NOTE)
