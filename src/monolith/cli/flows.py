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

DEMO_FLOW = "train_digits.py"


def run(session: Session, file: Path | None, deployed: str, arguments: list[str]) -> None:
    """Run a file here, or a deployment on the worker; the exit code is the flow's."""
    if (file is None) == (not deployed):
        raise typer.BadParameter("give either a flow's file or --deployed NAME")
    _must_be_up(session)
    code = _run_deployed(session, deployed) if deployed else _run_file(session, file, arguments)
    if code:
        raise typer.Exit(1)


def _must_be_up(session: Session) -> None:
    rows = session.runtime.status()
    bad = [row.name for row in rows if row.state not in ("healthy", "not offered")]
    if bad:
        raise UserError(f"The platform is not up: {', '.join(bad)}.", hint="./monolith up")


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
    """`up`, the digits flow, and a closing screen."""
    lifecycle.up(session)
    file = session.project.flows / DEMO_FLOW
    screen.out.print("\nTraining on 1,797 handwritten digits ...")
    code, text = session.runtime.run_python([str(file)], capture=True)
    if code:
        raise UserError("The flow did not finish; its log is above.",
                        hint=f"./monolith run prefect_flows/{DEMO_FLOW}")  # fmt: skip
    _closing_screen(session, json.loads(text.strip().splitlines()[-1]))


def _closing_screen(session: Session, result: dict[str, Any]) -> None:
    addresses = {row.name: row.address for row in session.runtime.status()}
    changed = "is the new champion" if result["champion_changed"] else "stays behind the champion"
    lines = [
        f"[bold]{result['model']}[/] version {result['version']} {changed}: "
        f"[bold green]{result['accuracy']:.1%}[/] of the held-out digits read right.",
        "",
        f"Run in Prefect   {addresses['prefect']}/runs/flow-run/{result['flow_run_id']}",
        f"Run in MLflow    {addresses['mlflow']}/#/experiments/{result['experiment_id']}"
        f"/runs/{result['mlflow_run_id']}",
        f"Model            {addresses['mlflow']}/#/models/{result['model']}",
        "",
        "Try next         ./monolith run --deployed train-digits    (on the worker)",
        '                 eval "$(./monolith env)"                  (your own programs)',
        "                 ./monolith status, ./monolith down",
    ]
    screen.out.rule("Done", style="green")
    for line in lines:
        screen.out.print(line)
