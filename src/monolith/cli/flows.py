"""`run` and `demo`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import typer
import yaml

from monolith.cli import lifecycle, screen
from monolith.cli.session import Session
from monolith.errors import UserError
from monolith.manifest import words

DEMO_FLOW, WORK_ITEM_FLOW = "train_digits.py", "file_work_item.py"


def run(session: Session, file: Path | None, deployed: str, arguments: list[str]) -> None:
    """Run a file here, or a deployment on the worker; the exit code is the flow's."""
    if (file is None) == (not deployed):
        raise typer.BadParameter("give either a flow's file or --deployed NAME")
    _must_be_up(session)
    code = _run_deployed(session, deployed) if deployed else _run_file(session, file, arguments)
    if code:
        raise typer.Exit(1)


def _must_be_up(session: Session) -> None:
    bad = [row.name for row in session.runtime.status() if not row.is_well]
    if bad:
        raise UserError(f"The platform is not up: {', '.join(bad)}.", hint="./monolith up")
    _prepare(session)


def _prepare(session: Session) -> None:
    with screen.Progress() as progress:
        session.runtime.prepare_flows(progress)


def _run_file(session: Session, file: Path | None, arguments: list[str]) -> int:
    if file is None or not file.is_file():
        raise UserError(f"There is no file {file}.", hint="ls prefect_flows")
    return session.runtime.run_python([str(file.absolute()), *arguments])[0]


def _run_deployed(session: Session, name: str) -> int:
    """Create or update the deployment from prefect.yaml, then have the worker run it."""
    runtime, folder = session.runtime, session.project.flows
    _must_be_defined(folder / "prefect.yaml", name)
    deploy = ["-m", "prefect", "--no-prompt", "deploy", "--name", name]
    code, text = runtime.run_python(deploy, folder=folder, capture=True)
    if code:
        raise UserError(f"`{name}` could not be deployed:\n{text.strip()}",
                        hint="see prefect_flows/prefect.yaml")  # fmt: skip
    identifier = _deployment_id(runtime.client_environment()["PREFECT_API_URL"], name)
    watch = ["-m", "prefect", "deployment", "run", "--id", identifier, "--watch"]
    return runtime.run_python(watch, folder=folder)[0]


def _must_be_defined(file: Path, name: str) -> None:
    """`prefect deploy --name X` gives the name X to a deployment that is the only one."""
    content = yaml.safe_load(file.read_text())
    known = [str(deployment["name"]) for deployment in content["deployments"]]
    if name not in known:
        hint = words.did_you_mean(name, known, f"one of: {', '.join(known)}")
        raise UserError(f"There is no deployment `{name}` in {file.name}.", hint=hint)


def _deployment_id(api: str, name: str) -> str:
    body = {"deployments": {"name": {"any_": [name]}}}
    answer = httpx.post(f"{api}/deployments/filter", json=body, timeout=10, trust_env=False)
    found = answer.raise_for_status().json()
    if not found:
        raise UserError(f"There is no deployment `{name}`.", hint="see prefect_flows/prefect.yaml")
    return str(found[0]["id"])


def demo(session: Session) -> None:
    """`up`, the digits flow, a work item about it where there is Plane, and a closing screen."""
    lifecycle.up(session)
    _prepare(session)
    screen.out.print("\nTraining on 1,797 handwritten digits ...")
    result = _run_demo_flow(session, DEMO_FLOW)
    links = _links(session, result)
    if "PLANE_BASE_URL" in session.runtime.client_environment():
        screen.out.print("\nFiling a work item with the result ...")
        links["Work item"] = _run_demo_flow(session, WORK_ITEM_FLOW, _work_item(result, links))[
            "url"
        ]
    _closing_screen(result, links)


def _run_demo_flow(session: Session, name: str, argument: object = None) -> dict[str, Any]:
    """The last line that a flow of the demo prints: one JSON object."""
    arguments = [json.dumps(argument)] if argument else []
    code, text = session.runtime.run_python(
        [str(session.project.flows / name), *arguments], capture=True
    )
    if code:
        raise UserError("The flow did not finish; its log is above.",
                        hint=f"./monolith run prefect_flows/{name}")  # fmt: skip
    answer: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return answer


def _links(session: Session, result: dict[str, Any]) -> dict[str, str]:
    """Addresses of what the digits flow has made, by title."""
    addresses = {row.name: row.address for row in session.runtime.status()}
    return {
        "Run in Prefect": f"{addresses['prefect']}/runs/flow-run/{result['flow_run_id']}",
        "Run in MLflow": f"{addresses['mlflow']}/#/experiments/{result['experiment_id']}"
        f"/runs/{result['mlflow_run_id']}",
        "Model": f"{addresses['mlflow']}/#/models/{result['model']}",
    }


def _headline(result: dict[str, Any]) -> tuple[str, str]:
    """What happened to the model, and how well it reads."""
    changed = "is the new champion" if result["champion_changed"] else "stays behind the champion"
    accuracy = f"{result['accuracy']:.1%} of the held-out digits read right"
    return f"{result['model']} version {result['version']} {changed}", accuracy


def _work_item(result: dict[str, Any], links: dict[str, str]) -> dict[str, Any]:
    """The argument of the flow that files it: the result, and the links to both runs."""
    title, text = _headline(result)
    runs = [name for name in links if name.startswith("Run in")]
    shown = [{"title": name, "url": links[name]} for name in runs]
    return {"title": title, "description": f"{title}: {text}.", "links": shown}


def _closing_screen(result: dict[str, Any], links: dict[str, str]) -> None:
    title, text = _headline(result)
    lines = [
        f"[bold]{title}[/]: [bold green]{text}[/].",
        "",
        *(f"{name:<16} {url}" for name, url in links.items()),
        "",
        "Try next         ./monolith run --deployed train-digits    (on the worker)",
        '                 eval "$(./monolith env)"                  (your own programs)',
        "                 ./monolith status, ./monolith down",
    ]
    screen.out.rule("Done", style="green")
    for line in lines:
        screen.out.print(line)
