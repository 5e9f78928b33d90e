"""What images/ says, the words for the engine, and what an image that is there is worth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from monolith.cli import images as cli
from monolith.errors import UserError
from monolith.images import commands, model
from monolith.images.engine import Present, failed
from monolith.images.model import Image
from monolith.images.workshop import Found, identity, state
from monolith.manifest.stack import Stack
from tests.unit.conftest import ROOT

SHIPPED = model.load_all(ROOT)
DIGEST = "0123456789abcdef"
MakeImage = Callable[..., Image]


@pytest.fixture
def make_image(tmp_path: Path) -> MakeImage:
    """Writes a folder of images, a manifest that names it and a lock; loads them."""

    def make(dockerfile: str = "FROM base:1\nCOPY app.lock /\n", **keys: str) -> Image:
        folder = tmp_path / "images" / "app"
        folder.mkdir(parents=True, exist_ok=True)
        said = {"title": "App", "service": "app", **keys}
        (folder / "image.toml").write_text("".join(f'{k} = "{v}"\n' for k, v in said.items()))
        (folder / "Dockerfile").write_text(dockerfile)
        (tmp_path / "app.lock").write_text("other==1\nthe-app==2.5 \\\n    --hash=sha256:0\n")
        manifest = tmp_path / "config" / "app" / "compose.yaml"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text("services:\n  app:\n    image: docker.io/library/app:2.5\n")
        return model.load_all(tmp_path)["app"]

    return make


def image(source: str = "PyPI", reference: str = "docker.io/library/app:1") -> Image:
    return Image(Path("/r"), Path("/r/images/app"), "app", "App", reference, source, "the-app")


def present(**labels: str) -> Present:
    named = {name.replace("_", "."): value for name, value in labels.items()}
    return Present("sha256:1", 2**20, named, [], [])


def test_the_words_of_a_build_are_plain_data() -> None:
    stage = replace(image(), stage="server")
    variables = {"http_proxy": "http://user:secret@proxy", "NO_PROXY": "x", "https_proxy": ""}
    labels = commands.labels(stage, DIGEST, "2.5")
    assert commands.build(stage, Path("/c"), {"ca": Path("/ca")}, variables, labels) == [
        "docker", "build", "--network", "host", "--file", "/c/images/app/Dockerfile",
        "--target", "server", "--secret", "id=ca,src=/ca",
        "--build-arg", "http_proxy", "--build-arg", "NO_PROXY",
        "--label", "org.opencontainers.image.title=App",
        "--label", "org.opencontainers.image.version=2.5",
        "--label", "monolith.source=PyPI", "--label", f"monolith.inputs={DIGEST}",
        "--progress", "plain", "--tag", "docker.io/library/app:1", "/c",
    ]  # fmt: skip


def test_a_build_without_labels_gets_no_name() -> None:
    words = commands.build(image(), Path("/c"), {}, {}, {})
    assert words == ["docker", "build", "--network", "host", "--file",
                     "/c/images/app/Dockerfile", "--quiet", "/c"]  # fmt: skip


def test_the_words_for_the_base() -> None:
    base = SHIPPED["debian"]
    assert commands.make_rootfs(base) == [str(ROOT / "images/debian/rootfs"), "trixie"]
    assert commands.take_rootfs(base, Path("/t.tar"), commands.labels(base, DIGEST, "")) == [
        "docker", "import", "--change", 'CMD ["bash"]', "--change", f"LABEL monolith.base={DIGEST}",
        "/t.tar", "docker.io/library/debian:trixie-slim",
    ]  # fmt: skip


def test_the_package_index_is_chosen_for_pip_and_uv() -> None:
    found = commands.index_file({"PIP_INDEX_URL": "https://u:p@h/a b", "PIP_FIND_LINKS": "/wheels"})
    assert found == "PIP_INDEX_URL='https://u:p@h/a b'\nUV_DEFAULT_INDEX='https://u:p@h/a b'\n"
    both = {"PIP_INDEX_URL": "https://pip", "UV_INDEX_URL": "https://uv"}
    assert commands.index_file(both) == "PIP_INDEX_URL=https://uv\nUV_DEFAULT_INDEX=https://uv\n"
    assert commands.index_file({"PIP_FIND_LINKS": "/wheels"}) == ""


def test_the_registry_of_npm_is_passed_on() -> None:
    assert commands.index_file({"npm_config_registry": "https://n"}) == (
        "NPM_CONFIG_REGISTRY=https://n\n"
    )


def test_the_ca_bundle_that_is_set_counts(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.crt"
    assert commands.ca_bundle({"SSL_CERT_FILE": str(bundle)}) is None
    bundle.touch()
    assert commands.ca_bundle({"SSL_CERT_FILE": str(bundle)}) == bundle


@pytest.mark.parametrize(
    ("source", "found", "expected"),
    [
        ("PyPI", None, "missing"),
        ("PyPI", present(), "pulled"),
        ("PyPI", present(monolith_inputs=DIGEST), "ready"),
        ("PyPI", present(monolith_inputs="other"), "stale"),
        # What it inherited from a base of ours says nothing about it.
        ("PyPI", present(monolith_base=DIGEST), "pulled"),
        ("a stand-in", present(), "pulled"),
        # In no registry: plain Compose has built it, without a label.
        (model.OWN, present(), "stale"),
        (model.OWN, None, "missing"),
    ],
)
def test_what_an_image_is_worth(source: str, found: Present | None, expected: str) -> None:
    assert state(image(source), found, DIGEST) == expected


def test_a_base_is_the_same_for_the_same_content() -> None:
    assert identity(None, "base:1") == "base:1"
    assert identity(present(monolith_base=DIGEST), "base:1") == DIGEST
    pulled = replace(present(), digests=["base@sha256:2"])
    assert identity(pulled, "base:1") == "base@sha256:2"
    assert identity(present(), "base:1") == "sha256:1"


def test_the_dockerfile_says_what_goes_in(make_image: MakeImage, tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "run"
    script.parent.mkdir()
    script.touch(0o700)
    (tmp_path / "scripts" / "__pycache__").mkdir()
    (tmp_path / "scripts" / "__pycache__" / "run.pyc").touch()
    found = make_image(
        "FROM base:1 AS build\nCOPY --chmod=755 app.lock scripts \\\n  /opt/\n"
        "COPY programs/consul /bin/\nFROM build\nFROM other:2\nCOPY --from=build /opt /opt\n"
    )
    assert sorted(found.files()) == ["app.lock", "images/app/Dockerfile", "images/app/image.toml",
                                     "scripts/run"]  # fmt: skip
    assert found.programs == ["consul"]
    assert found.bases == ["base:1", "other:2"]
    assert model.mode(script) == 0o755


def test_a_file_that_is_copied_but_missing_is_named(make_image: MakeImage) -> None:
    with pytest.raises(UserError, match=r"nothing\.lock is not there"):
        make_image("FROM base:1\nCOPY nothing.lock /\n").files()


def test_the_digest_changes_with_each_input(make_image: MakeImage, tmp_path: Path) -> None:
    one = make_image()
    first = one.digest(["base"])
    assert one.digest(["base"]) == first
    changed = [one.digest(["other base"]), replace(one, stage="x").digest(["base"])]
    changed.append(make_image("FROM base:1\n# changed\nCOPY app.lock /\n").digest(["base"]))
    (tmp_path / "images" / "app" / "Dockerfile").chmod(0o755)
    changed.append(one.digest(["base"]))
    (tmp_path / "app.lock").write_text("the-app==2.6\n")
    changed.append(one.digest(["base"]))
    assert len({first, *changed}) == 6


def test_the_version_is_that_of_the_lock(make_image: MakeImage) -> None:
    found = make_image(pypi="the-app")
    assert (found.source, found.version()) == ("PyPI", "2.5")
    assert (found.reference, found.short) == ("docker.io/library/app:2.5", "app:2.5")
    assert make_image().version() == "2.5"


def test_the_version_of_a_package_of_npm_is_that_of_its_lock(make_image: MakeImage) -> None:
    found = make_image(npm="the-app")
    lock = {"packages": {"": {}, "node_modules/the-app": {"version": "2.6"}}}
    (found.folder / "package-lock.json").write_text(json.dumps(lock))
    assert (found.source, found.version()) == ("npm", "2.6")


def test_a_service_that_is_in_no_manifest_is_told(make_image: MakeImage) -> None:
    with pytest.raises(UserError, match="names the service `nobody`"):
        make_image(service="nobody")


def test_stages_are_images_of_their_own(make_image: MakeImage, tmp_path: Path) -> None:
    make_image()
    file = tmp_path / "images" / "app" / "image.toml"
    file.write_text('title = "App"\nsource = "a stand-in"\n[stages]\napp = "server"\n')
    (found,) = model.load_all(tmp_path).values()
    assert (found.name, found.stage, found.source) == ("app", "server", "a stand-in")
    assert not found.is_own


def test_images_are_chosen_by_any_form_of_their_name() -> None:
    names = ["mlflow", "platform", "postgres", "ghcr.io/mlflow/mlflow", "monolith"]
    assert [one.name for one in model.choose(SHIPPED, names)] == ["mlflow", "monolith", "postgres"]
    assert model.choose(SHIPPED, []) == list(SHIPPED.values())
    with pytest.raises(UserError, match=r"(?s)no image `postgers`.*did you mean `postgres`"):
        model.choose(SHIPPED, ["postgers"])


def test_the_base_comes_first_and_is_the_base_of_all() -> None:
    base, *rest = SHIPPED.values()
    assert base.is_base
    assert {reference for one in rest for reference in one.bases} == {base.reference}


def test_all_that_goes_in_is_there_and_in_the_docker_context() -> None:
    """Plain `docker build` of the repository sees what .dockerignore lets through."""
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines()
               if line.startswith("!")]  # fmt: skip
    for one in SHIPPED.values():
        for name in one.files():
            parents = [name, *map(str, Path(name).parents)]
            assert any(Path(path).match(rule) for path in parents for rule in allowed), name


def test_every_image_has_a_version_or_learns_it_from_debian() -> None:
    for one in SHIPPED.values():
        assert bool(one.version()) == (one.source != "Debian"), one.name


def test_every_image_of_the_stack_is_here_but_planes(product: Stack) -> None:
    wanted = {entry.model.image for entry in product.services.values()}
    known = {one.reference for one in SHIPPED.values()}
    assert {name for name in wanted - known if "makeplane/" not in name} == set()


def test_the_same_first_steps_are_one_layer() -> None:
    """Images share what they begin with, word for word; the engine then keeps it once."""
    starts = set()
    for file in sorted(ROOT.glob("images/*/Dockerfile")):
        last = file.read_text().rpartition("FROM docker.io/library/debian:trixie-slim\n")[2]
        if "ca-certificates" in last:
            starts.add(re.split(r"\n(?=[A-Z#])", last)[0])
    assert len(starts) == 2, starts


def test_rows_fit_80_columns() -> None:
    found = [Found(one, None, DIGEST, "missing") for one in SHIPPED.values()]
    labels = {"org.opencontainers.image.version": "8.1.1+dfsg1-3+deb13u3"}
    valkey = replace(present(), labels=labels)
    found.append(Found(SHIPPED["valkey"], valkey, DIGEST, "ready"))
    found.append(Found(SHIPPED["postgres"], present(), DIGEST, "pulled"))
    shown = list(cli.lines([cli.row(one) for one in found]))
    assert max(map(len, shown)) <= 80
    assert shown[0].split() == ["image", "state", "from"]
    assert shown[-2].split() == ["valkey:9.1.1-alpine", "ready", "Debian", "8.1.1+dfsg1-3+deb13u3"]
    assert shown[-1].split() == [SHIPPED["postgres"].short, "pulled", "a", "registry"]
    assert any(line.endswith("Go modules 2026-02-12") for line in shown)
    assert any(line.endswith("Go modules 2025-05-29") for line in shown)


def test_an_entry_for_scripts() -> None:
    found = Found(image(), present(org_opencontainers_image_version="2.5"), DIGEST, "ready")
    assert cli.entry(found) == {
        "name": "app", "image": "docker.io/library/app:1", "state": "ready", "source": "PyPI",
        "version": "2.5", "size": 2**20,
    }  # fmt: skip


def test_a_failure_is_told_by_the_step_that_failed() -> None:
    output = "#1 long story\n------\n > [2/2] RUN x:\n0.1 no such package\n------\nERROR: failed"
    assert "no such package" in str(failed("app", output))
    assert "long story" not in str(failed("app", output))
    assert "buildx plugin" in failed("app", "the buildx component is missing").hint
