"""The manifest: the part of Compose that this platform uses, and the `x-monolith` block.

Every key not named here is refused. Descriptions are the reference documentation
(`monolith render` writes docs/reference/manifest.md from them).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints


class Strict(BaseModel):
    """A mapping with known keys only."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


_UNITS = {"": 1, "b": 1, "k": 2**10, "kb": 2**10, "m": 2**20, "mb": 2**20, "g": 2**30, "gb": 2**30}
_SIZE = re.compile(r"^([0-9]+)([a-z]*)$")


def size_in_bytes(text: str) -> int:
    """`512m` -> 536870912. Units are Compose's: b, k, m, g, with or without a b behind."""
    match = _SIZE.match(text)
    if not match or match[2] not in _UNITS:
        raise ValueError(text)
    return int(match[1]) * _UNITS[match[2]]


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)]
UrlHost = Annotated[
    str, StringConstraints(pattern=r"^(@|[a-z0-9]([a-z0-9-]*[a-z0-9])?)$", max_length=63)
]
Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")]
Size = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*[kmg]b?$")]
Duration = Annotated[str, StringConstraints(pattern=r"^([0-9]+(ms|s|m|h))+$")]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/-]*$")]
UrlQuery = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/-]*(\?[A-Za-z0-9._~=&-]+)?$")]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Scalar = str | int | float | bool | None
Published = Annotated[
    str, StringConstraints(pattern=r"^127\.0\.0\.1:[0-9]{1,5}:[0-9]{1,5}(/(tcp|udp))?$")
]
Mount = Annotated[str, StringConstraints(pattern=r"^(\.{1,2}|\.{0,2}/[^:]*):/[^:]*(:(ro|rw))?$")]
UserNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]+(:[0-9]+)?$")]
PortText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}$")]


class Limits(Strict):
    """Upper bounds that the engine enforces."""

    memory: Size = Field(description="Memory cap, such as `512m`. Required.")
    cpus: str | None = Field(None, description="Number of processors, quoted.")
    pids: int | None = Field(None, description="Number of processes and threads.")


class Resources(Strict):
    """Resources of one service."""

    limits: Limits = Field(description="Upper bounds.")


class Deploy(Strict):
    """Compose's `deploy`, of which only the limits are used."""

    resources: Resources = Field(description="Resources.")


class LogOptions(Strict):
    """Rotation of a container's log."""

    max_size: Size = Field(alias="max-size", description="Size of one file, such as `10m`.")
    max_file: str = Field(alias="max-file", description="Number of files, quoted.")
    labels: str | None = Field(
        None,
        description="Labels of the container written beside each line; the collector knows a "
        "line's service by `com.docker.compose.project,com.docker.compose.service`.",
    )


class Logging(Strict):
    """Where the log goes and how far it may grow."""

    driver: Literal["json-file", "local", "journald"] = Field(
        "json-file", description="Log driver."
    )
    options: LogOptions = Field(description="Rotation. Required.")


class HealthCheck(Strict):
    """The container's own check, run inside it by the engine."""

    test: list[str] | str = Field(description="Command; exit code 0 is healthy.")
    interval: Duration = Field("10s", description="Time between two checks.")
    timeout: Duration = Field("5s", description="After this a check has failed.")
    retries: int = Field(5, description="Failures in a row before unhealthy.")
    start_period: Duration = Field("0s", description="Failures in this time do not count.")
    start_interval: Duration | None = Field(None, description="Interval during `start_period`.")


class Dependency(Strict):
    """A service that has to be in a state before this one starts."""

    condition: Literal["service_started", "service_healthy", "service_completed_successfully"] = (
        Field(description="The state to wait for.")
    )
    restart: bool | None = Field(None, description="Restart this service when that one restarts.")
    required: bool | None = Field(None, description="`false`: do without when it is not there.")


class Network(Strict):
    """How a service is found on a network."""

    aliases: list[str] = Field(default=[], description="Names, `<service>.service.consul` first.")


class Build(Strict):
    """An image that is built when it is missing."""

    context: str = Field(description="Folder of the build, relative to the fragment.")
    dockerfile: str | None = Field(None, description="File in it.")
    target: str | None = Field(None, description="Stage to build.")
    args: dict[str, str] = Field(default={}, description="Build arguments; never secrets.")


class Url(Strict):
    """An address for people: a host below the platform's domain, or the domain itself."""

    host: UrlHost = Field(
        description="First label: `mlflow` becomes `mlflow.<domain>`; `@` is the domain itself."
    )
    port: Port | None = Field(None, description="Port inside the container.")
    service: Literal["api@internal"] | None = Field(
        None, description="A service inside Traefik, instead of a port."
    )
    paths: list[UrlPath] = Field(
        default=[], description="Only these paths and what is below them; none: all."
    )
    redirects: dict[UrlPath, UrlPath] = Field(
        default={}, description="Paths answered by a redirect: from -> to."
    )

    def name(self, domain: str) -> str:
        """The whole host name."""
        return domain if self.host == "@" else f"{self.host}.{domain}"


class Check(Strict):
    """How anybody asks whether the service works (Consul, Nomad, native readiness)."""

    port: Port = Field(description="Port inside the container.")
    path: UrlQuery | None = Field(
        None, description="HTTP path, with a query if needed; without it a TCP connect."
    )


class Metrics(Strict):
    """Where Prometheus scrapes."""

    port: Port = Field(description="Port inside the container.")
    path: UrlQuery = Field("/metrics", description="HTTP path, with a query if needed.")
    own_labels: bool = Field(
        False,
        description="`true`: it tells about other services, so its labels `service` and `stack` "
        "are kept; else they name the service that was asked.",
    )


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class Database(Strict):
    """A PostgreSQL role and database, both named as the service (`-` becomes `_`)."""

    extensions: list[Annotated[str, StringConstraints(pattern=r"^[a-z_]+$")]] = Field(
        default=[], description="Extensions created in it."
    )
    roles: list[Annotated[str, StringConstraints(pattern=r"^pg_[a-z_]+$")]] = Field(
        default=[], description="PostgreSQL's own roles that it is a member of: `pg_monitor`."
    )


class Data(Strict):
    """Who owns the service's folders and what a backup has to take."""

    uid: int = Field(description="User id inside the container.")
    gid: int | None = Field(None, description="Group id; the same number when absent.")
    backup: list[str] = Field(default=[], description="Folders below the data folder to back up.")

    @property
    def owner(self) -> tuple[int, int]:
        """User and group that the folders belong to."""
        return self.uid, self.uid if self.gid is None else self.gid


class Native(Strict):
    """How the service runs as a process, without a container engine. Absent: not offered."""

    requirements: str | None = Field(
        None, description="Lock file of its own environment, from the project root."
    )
    tool: Name | None = Field(
        None,
        description="Instead: a program of `tools/`. Not offered while it is neither ready nor on "
        "PATH.",
    )
    command: list[str] = Field(description="Program and arguments; see the placeholders.")
    user: Name | None = Field(
        None, description="System user it runs as when the platform is started by root."
    )
    prepare: list[str] = Field(
        default=[], description="Command run before every start; has to be idempotent."
    )
    check: list[str] = Field(default=[], description="Command to use instead of `check`.")
    path: list[str] = Field(default=[], description="Folders put in front of PATH.")
    cwd: str | None = Field(None, description="Working directory, from the project root.")
    environment: dict[EnvName, Scalar] = Field(
        default={}, description="Laid over the service's environment; an empty value removes."
    )
    ports: dict[PortText, PortText] = Field(
        default={}, description="Container port -> loopback port, where Compose publishes none."
    )
    stop_signal: Literal["TERM", "INT", "QUIT"] = Field("TERM", description="Signal to stop it.")
    memory: Size | None = Field(None, description="Memory expected natively; else the cap.")


class Monolith(Strict):
    """What Compose has no word for."""

    title: str = Field(description="Name for people.")
    about: str = Field(description="What it is for, in one line.")
    access: Literal["public", "users", "admins", "internal"] = Field(
        description="Who may reach it through the front door; `internal`: nobody. Required."
    )
    machine_paths: list[UrlPath] = Field(
        default=[], description="Paths that programs use with tokens of their own, without SSO."
    )
    url: Url | None = Field(None, description="Its address for people.")
    routes: list[Url] = Field(default=[], description="Further routes, on hosts of other services.")
    check: Check | None = Field(
        None, description="Health, asked from outside. Has to be there where the service listens."
    )
    metrics: Annotated[list[Metrics], BeforeValidator(_as_list)] = Field(
        default=[], description="Prometheus target; one, or a list of them."
    )
    database: Database | None = Field(None, description="A role and database of its own.")
    buckets: list[Bucket] = Field(default=[], description="S3 buckets of its own.")
    store: Literal["minio", "versitygw"] | None = Field(
        None, description="It is the object store, and the program whose administration it has."
    )
    secrets: dict[EnvName, str] = Field(
        default={},
        description="What `/secrets/env` holds. A generator (`hex16`, `hex32`, `fernet`, "
        "`password`) makes a value once and keeps it in the secret store; a text with "
        "`{NAME}` or `{service.NAME}` is put together from such values.",
    )
    fixed: list[EnvName] = Field(
        default=[],
        description="Secrets that the service's data were made with; `secrets set` refuses them.",
    )
    client: dict[EnvName, str] = Field(
        default={}, description="Variables for programs of the user, shown by `monolith env`."
    )
    data: Data | None = Field(None, description="Ownership and backup of its folders.")
    native: Native | None = Field(None, description="How it runs without a container engine.")


class Service(Strict):
    """One service: the Compose keys in use, and `x-monolith`."""

    image: str = Field(description="Image with a pinned tag.")
    build: Build | None = Field(None, description="How to build the image when it is missing.")
    pull_policy: Literal["never"] | None = Field(
        None, description="`never`: the image is in no registry; it is built when it is missing."
    )
    entrypoint: list[str] | None = Field(None, description="Replaces the image's entry point.")
    command: list[str] | None = Field(None, description="Arguments.")
    environment: dict[EnvName, Scalar] = Field(default={}, description="Variables; no secrets.")
    networks: dict[Name, Network] = Field(default={}, description="Networks and aliases.")
    ports: list[Published] = Field(default=[], description="`127.0.0.1:host:container` only.")
    volumes: list[Mount] = Field(default=[], description="Bind mounts, `source:/target[:ro]`.")
    depends_on: dict[Name, Dependency] = Field(default={}, description="Start order.")
    healthcheck: HealthCheck | None = Field(None, description="Required.")
    deploy: Deploy | None = Field(None, description="Holds the memory limit. Required.")
    logging: Logging | None = Field(None, description="Holds the log limit. Required.")
    restart: Literal["always", "unless-stopped", "on-failure", "no"] | None = Field(
        None, description="Required. `on-failure` or `no` marks a service that ends by itself."
    )
    hostname: str | None = Field(None, description="Fixed host name.")
    user: UserNumber | None = Field(
        None, description='Numbers of user and group, quoted: `"1000:1000"`.'
    )
    working_dir: str | None = Field(None, description="Working directory.")
    init: bool | None = Field(None, description="A small init as process 1.")
    read_only: bool | None = Field(None, description="Read-only root file system.")
    tmpfs: list[str] = Field(default=[], description="Folders in memory.")
    shm_size: Size | None = Field(None, description="Size of /dev/shm.")
    stop_grace_period: Duration | None = Field(None, description="Time to stop tidily.")
    stop_signal: str | None = Field(None, description="Signal to stop.")
    cap_add: list[str] = Field(default=[], description="Capabilities added.")
    cap_drop: list[str] = Field(default=[], description="Capabilities dropped.")
    security_opt: list[str] = Field(default=[], description="Security options.")
    extra_hosts: list[str] = Field(default=[], description="Names in /etc/hosts.")
    ulimits: dict[str, Any] = Field(default={}, description="Limits of the kernel.")
    x_monolith: Monolith = Field(alias="x-monolith", description="The block below. Required.")


class Fragment(Strict):
    """`config/<service>/compose.yaml`. Keys that start with `x-` are free for anchors."""

    services: dict[Name, Service] = Field(min_length=1, description="The services of this folder.")
    x_settings: dict[EnvName, str] = Field(
        default={},
        alias="x-settings",
        description="What each `${MONOLITH_...}` variable of this file means.",
    )


class Layers(Strict):
    """A fragment with what this stack lays over it."""

    path: list[str] = Field(
        min_length=1, description="The fragment, then overlays: `config/<service>/compose.*.yaml`."
    )


class StackFile(Strict):
    """`docker-compose/docker-compose.<stack>.yaml`: a name and a list of fragments."""

    name: Name = Field(description="Project name, prefix of all containers.")
    include: list[str | Layers] = Field(
        min_length=1, description="Fragments, relative to this file."
    )
