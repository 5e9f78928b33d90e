"""The stand-in for Plane holds its callers to Plane's rules; the shipped manifests keep them."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import pytest

from monolith.manifest.stack import Stack
from tests.unit.conftest import ROOT

FOLDER = ROOT / "tests" / "images" / "plane"
GOOD = {
    "SECRET_KEY": "0123456789abcdef" * 4,
    "LIVE_SERVER_SECRET_KEY": "fedcba9876543210" * 4,
    "WEB_URL": "https://plane.example.org",
    "CORS_ALLOWED_ORIGINS": "https://plane.example.org, http://other.example.org:8080",
    "DATABASE_URL": "postgresql://plane:p%40ssw0rd-of-ours@db/plane",
    "REDIS_URL": "redis://valkey:6379/0",
    "AMQP_URL": "amqp://plane:long-enough-1@mq:5672/plane",
    "AWS_ACCESS_KEY_ID": "0123456789abcdef",
    "AWS_SECRET_ACCESS_KEY": "0123456789abcdef" * 2,
    "AWS_S3_ENDPOINT_URL": "http://s3.service.consul:9000",
    "AWS_S3_BUCKET_NAME": "uploads",
    "AWS_REGION": "us-east-1",
    "USE_MINIO": "1",
    "MINIO_ENDPOINT_SSL": "1",
    "FILE_SIZE_LIMIT": "5242880",
    "OTLP_ENDPOINT": "http://127.0.0.1:9",
    "GUNICORN_WORKERS": "1",
}
LIVE = {
    "API_BASE_URL": "http://api:8000",
    "LIVE_SERVER_SECRET_KEY": GOOD["LIVE_SERVER_SECRET_KEY"],
    "REDIS_URL": GOOD["REDIS_URL"],
}
WRONG = [
    ("SECRET_KEY", "60gp0byfz2dvffa45cxl20p1scy9xbpf6d8c5y0geejgkyp1b5"),
    ("SECRET_KEY", "a" * 64),
    ("SECRET_KEY", "tooshort-0123"),
    ("LIVE_SERVER_SECRET_KEY", "2FiJk1U2aiVPEQtzLehYGlTSnTnrs7LW"),
    ("LIVE_SERVER_SECRET_KEY", "htbqvBJAgpm9bzvf3r4urJer0ENReatceh"),
    ("AWS_ACCESS_KEY_ID", "access-key"),
    ("AWS_SECRET_ACCESS_KEY", "secret-key"),
    ("AWS_SECRET_ACCESS_KEY", "changeme-please"),
    ("DATABASE_URL", "postgresql://plane:plane@plane-db/plane"),
    ("DATABASE_URL", "postgresql://plane@plane-db/plane"),
    ("DATABASE_URL", "postgresql://plane:long-enough-1@plane-db"),
    ("DATABASE_URL", "mysql://plane:long-enough-1@plane-db/plane"),
    ("DATABASE_URL", "postgresql://plane:long-enough-1@plane-db:port/plane"),
    ("AMQP_URL", "amqp://plane:plane@plane-mq:5672/plane"),
    ("AMQP_URL", "amqp://guest:guest@plane-mq:5672/plane"),
    ("AMQP_URL", "amqp://plane:long-enough-1@plane-mq:5672/"),
    ("AMQP_URL", "redis://valkey:6379/0"),
    ("REDIS_URL", "valkey:6379"),
    ("REDIS_URL", "redis://:plane@valkey:6379/0"),
    ("REDIS_URL", "redis://valkey:6379/first"),
    ("WEB_URL", "plane.example.org"),
    ("WEB_URL", "https://plane.example.org/"),
    ("WEB_URL", "https://another.example.org"),
    ("CORS_ALLOWED_ORIGINS", "*"),
    ("AWS_S3_ENDPOINT_URL", "minio:9000"),
    ("AWS_S3_BUCKET_NAME", "Uploads_Of_Plane"),
    ("USE_MINIO", "yes"),
    ("MINIO_ENDPOINT_SSL", "0"),
    ("FILE_SIZE_LIMIT", "5MB"),
    ("OTLP_ENDPOINT", "https://telemetry.plane.so"),
    ("OTLP_ENDPOINT", "http://8.8.8.8:4317"),
    ("API_KEY_RATE_LIMIT", "many"),
    ("ENABLE_SIGNUP", "false"),
    ("DEBUG", "1"),
    ("ALLOWED_HOSTS", "another.example.org"),
    ("WEBHOOK_ALLOWED_HOSTS", "n8n"),
    ("WEBHOOK_ALLOWED_IPS", "10.0.0.0/8, everywhere"),
]
NAMES = {"WEB_URL https://another.example.org": "CORS_ALLOWED_ORIGINS"}
MADE_UP = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def contract() -> Any:
    file = FOLDER / "backend" / "plane" / "contract.py"
    spec = importlib.util.spec_from_file_location("plane_contract", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names(problems: list[str]) -> list[str]:
    return [problem.split()[0] for problem in problems]


def test_a_good_environment_is_taken(contract: Any) -> None:
    assert contract.backend_problems(GOOD, api=True) == []
    assert contract.live_problems(LIVE) == []


@pytest.mark.parametrize("name", [name for name in GOOD if name != "MINIO_ENDPOINT_SSL"])
def test_what_plane_needs_has_to_be_there(contract: Any, name: str) -> None:
    for environment in (GOOD | {name: ""}, {key: GOOD[key] for key in GOOD if key != name}):
        assert contract.backend_problems(environment, api=True) == [f"{name} is not set"]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_is_wrong_is_named_and_not_shown(contract: Any, name: str, value: str) -> None:
    problems = contract.backend_problems(GOOD | {name: value})
    assert names(problems) == [NAMES.get(f"{name} {value}", name)]
    assert value not in problems[0].split()


@pytest.mark.parametrize("name", LIVE)
def test_live_needs_the_api_and_the_same_secret(contract: Any, name: str) -> None:
    assert names(contract.live_problems(LIVE | {name: ""})) == [name]
    assert names(contract.live_problems(LIVE | {name: "plane"})) == [name]


def test_whoever_is_wrong_ends_with_a_line_for_each(contract: Any) -> None:
    with pytest.raises(SystemExit) as end:
        contract.refuse("plane-backend", ["SECRET_KEY is not set", "WEB_URL is not set"])
    lines = str(end.value).splitlines()
    assert lines[0] == "plane-backend (stand-in): refuses to start: SECRET_KEY is not set"
    assert len(lines) == 2
    contract.refuse("plane-backend", [])


def environment(product: Stack, service: str) -> dict[str, str]:
    """What a service gets, with one made-up value for each of its secrets."""
    model = product.services[service].model
    secrets = {
        name: re.sub(r"\{[a-z-]+\.[A-Z0-9_]+(:url)?\}|^hex[0-9]+$", MADE_UP, text)
        for name, text in model.x_monolith.secrets.items()
    }
    return {name: str(value) for name, value in model.environment.items()} | secrets


@pytest.mark.parametrize("service", ["plane-migrator", "plane-api", "plane-worker"])
def test_the_manifest_gives_plane_what_it_needs(
    contract: Any, product: Stack, service: str
) -> None:
    given = environment(product, service)
    assert contract.backend_problems(given, api=service == "plane-api") == []


def test_the_manifest_gives_live_what_it_needs(contract: Any, product: Stack) -> None:
    assert contract.live_problems(environment(product, "plane-live")) == []


def test_the_stand_in_is_named_one_wherever_it_shows() -> None:
    sources = [*FOLDER.rglob("*.py"), *FOLDER.rglob("*.sh"), *FOLDER.rglob("*.html")]
    sources += [FOLDER / "Dockerfile", FOLDER / "image.toml", FOLDER / "pages" / "nginx.conf"]
    assert len(sources) > 20
    for source in sources:
        assert re.search("stand-in", source.read_text()[:400], re.IGNORECASE), source
