"""What Grafana is given, held to Grafana's own formats.

Dashboards are read by the library that Grafana generates from its schema: a key that the schema
does not have would be lost on the way. Files of provisioning are held to the models below, which
name the keys of Grafana's documentation that are in use here. Neither is Grafana itself.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import re
from typing import Any, Literal

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from pydantic import BaseModel, ConfigDict, Field

from monolith.manifest.load import load
from monolith.settings import Settings
from tests.unit.conftest import ROOT

FOLDER = ROOT / "config/grafana"
FILES = sorted((FOLDER / "dashboards").glob("*.json"))
BOARDS = {file.stem: json.loads(file.read_text()) for file in FILES}
# Part of Grafana's own program. Angular panels (graph, singlestat, table-old) are gone since 12.
BUILT_IN = {"timeseries", "stat", "bargauge", "logs", "table", "row"}
MACROS = {"__rate_interval", "__range", "__auto", "__field"}
WIDTH = 24


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Link(Strict):
    name: str
    matcherType: Literal["label"]  # noqa: N815
    matcherRegex: str  # noqa: N815
    datasourceUid: str  # noqa: N815
    url: str
    urlDisplayLabel: str  # noqa: N815


class ToLogs(Strict):
    datasourceUid: str  # noqa: N815
    spanStartTimeShift: str = Field(pattern=r"^-\d+[smh]$")  # noqa: N815
    spanEndTimeShift: str = Field(pattern=r"^\d+[smh]$")  # noqa: N815
    filterByTraceID: bool  # noqa: N815
    filterBySpanID: bool  # noqa: N815
    customQuery: bool  # noqa: N815
    query: str


class ToMetrics(Strict):
    datasourceUid: str  # noqa: N815
    spanStartTimeShift: str  # noqa: N815
    spanEndTimeShift: str  # noqa: N815
    tags: list[dict[Literal["key", "value"], str]]
    queries: list[dict[Literal["name", "query"], str]]


class OfPrometheus(Strict):
    httpMethod: Literal["POST", "GET"]  # noqa: N815
    prometheusType: Literal["Prometheus"]  # noqa: N815
    prometheusVersion: str  # noqa: N815
    timeInterval: str  # noqa: N815
    manageAlerts: bool  # noqa: N815


class OfLoki(Strict):
    maxLines: int  # noqa: N815
    manageAlerts: bool  # noqa: N815
    derivedFields: list[Link]  # noqa: N815


class OfTempo(Strict):
    tracesToLogsV2: ToLogs  # noqa: N815
    tracesToMetrics: ToMetrics  # noqa: N815
    nodeGraph: dict[Literal["enabled"], bool]  # noqa: N815
    search: dict[Literal["hide"], bool]
    streamingEnabled: dict[Literal["search", "metrics"], bool]  # noqa: N815


class Source(Strict):
    name: str
    uid: str
    type: Literal["prometheus", "loki", "tempo"]
    access: Literal["proxy"]
    url: str = Field(pattern=r"^http://[a-z]+\.service\.consul:\d+$")
    isDefault: bool = False  # noqa: N815
    editable: Literal[False]
    jsonData: dict[str, Any]  # noqa: N815


class Sources(Strict):
    apiVersion: Literal[1]  # noqa: N815
    prune: bool
    datasources: list[Source]


class Provider(Strict):
    name: str
    folder: str
    type: Literal["file"]
    allowUiUpdates: Literal[False]  # noqa: N815
    disableDeletion: bool  # noqa: N815
    updateIntervalSeconds: int  # noqa: N815
    options: dict[Literal["path"], str]


class Providers(Strict):
    apiVersion: Literal[1]  # noqa: N815
    providers: list[Provider]


DETAILS: dict[str, type[Strict]] = {"prometheus": OfPrometheus, "loki": OfLoki, "tempo": OfTempo}


def sources() -> Sources:
    file = FOLDER / "provisioning/datasources/stores.yaml"
    return Sources.model_validate(yaml.safe_load(file.read_text()))


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def loss(before: Any, after: Any, path: str = "") -> list[str]:
    """Places in `before` that are not in `after`, or are something else there."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            place
            for key, value in before.items()
            for place in loss(value, after.get(key, "<lost>"), f"{path}.{key}")
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [place for n, pair in pairs for place in loss(*pair, f"{path}[{n}]")]
    return [] if before == after else [f"{path}: {before!r} became {after!r}"]


def through_schema(board: dict[str, Any]) -> list[str]:
    """What Grafana's schema does not know of a dashboard."""
    register_default_plugins()
    after = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    return loss(board, after)


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_has_nothing_that_grafanas_schema_lacks(name: str) -> None:
    assert through_schema(BOARDS[name]) == []


@pytest.mark.parametrize("place", ["", "panel", "options", "custom", "target"])
def test_a_key_that_the_schema_lacks_is_found(place: str) -> None:
    board = json.loads((FOLDER / "dashboards/traefik.json").read_text())
    panel = next(one for one in panels(board) if one["type"] == "timeseries")
    places = {
        "": board, "panel": panel, "options": panel["options"], "target": panel["targets"][0],
        "custom": panel["fieldConfig"]["defaults"]["custom"],
    }  # fmt: skip
    places[place]["mispelt"] = 1
    assert len(through_schema(board)) == 1


def test_every_dashboard_that_is_wanted_is_there() -> None:
    assert set(BOARDS) == {"overview", "service", "flows", "postgres", "traefik", "storage"}
    assert all(board["uid"] == name for name, board in BOARDS.items())
    assert len({board["title"] for board in BOARDS.values()}) == len(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_numbers_and_places_of_panels_do_not_clash(name: str) -> None:
    all_panels = BOARDS[name]["panels"]
    numbers = [panel["id"] for panel in all_panels]
    assert len(set(numbers)) == len(numbers)
    assert all(0 < number < 2**31 for number in numbers)
    places = [panel["gridPos"] for panel in all_panels]
    assert all(one["x"] + one["w"] <= WIDTH for one in places)
    cells = [set(itertools.product(range(p["x"], p["x"] + p["w"]),
                                   range(p["y"], p["y"] + p["h"]))) for p in places]  # fmt: skip
    assert len(set.union(*cells)) == sum(map(len, cells))


@pytest.mark.parametrize("name", BOARDS)
def test_panels_are_built_in_and_ask_stores_that_there_are(name: str) -> None:
    known = {one.uid: one.type for one in sources().datasources}
    for panel in panels(BOARDS[name]):
        assert panel["type"] in BUILT_IN, panel["title"]
        assert panel["targets"], panel["title"]
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters), panel["title"]
        for asked in [panel, *panel["targets"]]:
            assert known[asked["datasource"]["uid"]] == asked["datasource"]["type"]


@pytest.mark.parametrize("name", BOARDS)
def test_variables_are_defined(name: str) -> None:
    board = BOARDS[name]
    known = {one["name"] for one in board["templating"]["list"]} | MACROS
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(panels(board))))
    assert used <= known


def test_links_lead_to_dashboards_that_there_are() -> None:
    text = json.dumps(list(BOARDS.values()))
    assert set(re.findall(r'"/d/([\w-]+)', text)) <= set(BOARDS)


def test_data_sources_are_as_grafana_wants_them() -> None:
    found = {one.uid: one for one in sources().datasources}
    assert set(found) == set(DETAILS)
    assert [uid for uid, one in found.items() if one.isDefault] == ["prometheus"]
    for uid, source in found.items():
        DETAILS[uid].model_validate(source.jsonData)


def test_data_sources_lead_to_each_other() -> None:
    found = {one.uid: one.jsonData for one in sources().datasources}
    assert [one["datasourceUid"] for one in found["loki"]["derivedFields"]] == ["tempo"]
    assert found["tempo"]["tracesToLogsV2"]["datasourceUid"] == "loki"
    assert found["tempo"]["tracesToMetrics"]["datasourceUid"] == "prometheus"
    # A single $ would be taken for the environment's, and be gone.
    assert not re.search(r"(?<!\$)\$(?!\$)", json.dumps(found))


def test_the_address_of_each_store_is_that_of_its_manifest() -> None:
    services = load(ROOT / "docker-compose/docker-compose.full.yaml", Settings({}), ROOT).services
    for source in sources().datasources:
        name, _, port = source.url.removeprefix("http://").partition(".service.consul:")
        check = services[name].monolith.check
        assert check
        assert check.port == int(port)


def test_dashboards_are_read_from_where_they_are_mounted() -> None:
    file = FOLDER / "provisioning/dashboards/platform.yaml"
    (provider,) = Providers.model_validate(yaml.safe_load(file.read_text())).providers
    assert provider.options["path"] == "/config/dashboards"


def contract() -> Any:
    file = ROOT / "tests/images/grafana/contract.py"
    spec = importlib.util.spec_from_file_location("grafana_contract", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def environment() -> dict[str, str]:
    """As the manifest gives it, with made-up secrets."""
    services = load(ROOT / "docker-compose/docker-compose.full.yaml", Settings({}), ROOT).services
    entry = services["grafana"]
    given = {name: str(value) for name, value in entry.model.environment.items()}
    return given | dict.fromkeys(entry.monolith.secrets, "0123456789abcdef")


def test_the_manifest_keeps_the_stand_ins_contract() -> None:
    assert contract().problems(environment()) == []
    services = load(ROOT / "docker-compose/docker-compose.full.yaml", Settings({}), ROOT).services
    assert services["grafana"].model.image.endswith(":" + contract().VERSION)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GF_SECURITY_ADMIN_PASSWORD", ""),
        ("GF_SECURITY_ADMIN_PASSWORD", "admin"),
        ("GF_SECURITY_SECRET_KEY", "SW2YcwTIb9zpOOhoPsMm"),
        ("GF_DATABASE_PASSWORD", ""),
        ("GF_SERVER_ROOT_URL", "grafana.example.org"),
        ("GF_AUTH_ANONYMOUS_ENABLED", "true"),
        ("GF_ANALYTICS_REPORTING_ENABLED", "true"),
        ("GF_PLUGINS_PREINSTALL_DISABLED", "false"),
        ("GF_SECURTY_ADMIN_USER", "admin"),
    ],
)
def test_the_stand_in_refuses(name: str, value: str) -> None:
    found = contract().problems(environment() | {name: value})
    assert found
    assert all(name in line for line in found)
