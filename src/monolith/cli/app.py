"""The command line: one function for each verb. Each imports what it needs when it runs, so that
`--help` stays fast.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from monolith import __version__
from monolith.errors import UserError

app = typer.Typer(
    name="monolith",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="MLOps, workflows and project management on this machine. Start with: ./monolith demo",
)

INTERRUPTED = 130
Services = Annotated[list[str] | None, typer.Argument(help="Services; none: all of them.")]
OneService = Annotated[str, typer.Argument(help="A service, such as mlflow.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def _version(show: bool) -> None:
    if show:
        typer.echo(f"monolith {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    stack: Annotated[
        str, typer.Option(help="Stack: its name (default: minimal), or the path of its file.")
    ] = "",
    runtime: Annotated[
        str, typer.Option(help="How services run: native or compose (default: what is here).")
    ] = "",
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    from monolith.cli.session import Session

    context.obj = Session(stack, runtime)


@app.command(rich_help_panel="Platform")
def up(context: typer.Context) -> None:
    """Start the platform and wait until all of it is healthy."""
    from monolith.cli import lifecycle

    lifecycle.up(context.obj)


@app.command(rich_help_panel="Platform")
def down(context: typer.Context) -> None:
    """Stop the platform. Data is kept."""
    from monolith.cli import lifecycle

    lifecycle.down(context.obj)


@app.command(rich_help_panel="Platform")
def restart(context: typer.Context, services: Services = None) -> None:
    """Stop and start services."""
    from monolith.cli import lifecycle

    lifecycle.restart(context.obj, services or [])


@app.command(rich_help_panel="Platform")
def status(context: typer.Context, json: AsJson = False) -> None:
    """Show health, address, uptime and memory of every service. Exit code 1: not all healthy."""
    from monolith.cli import inspection

    inspection.status(context.obj, as_json=json)


@app.command(rich_help_panel="Platform")
def logs(
    context: typer.Context,
    services: Services = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Last lines of each.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing.")] = False,
) -> None:
    """Show the last lines of the services' logs."""
    from monolith.cli import inspection

    inspection.logs(context.obj, services or [], lines, follow=follow)


@app.command("open", rich_help_panel="Platform")
def open_(context: typer.Context, service: OneService) -> None:
    """Open a service in the browser, or print its address where there is none."""
    from monolith.cli import inspection

    inspection.open_address(context.obj, service)


@app.command(rich_help_panel="Flows")
def demo(context: typer.Context) -> None:
    """Start the platform, train and register a model on it, and show where to look."""
    from monolith.cli import flows

    flows.demo(context.obj)


@app.command(
    rich_help_panel="Flows",
    # What stands behind the file belongs to the flow.
    context_settings={"allow_extra_args": True, "allow_interspersed_args": False},
)
def run(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="A flow's file; arguments may follow.")
    ] = None,
    deployed: Annotated[
        str, typer.Option(help="Instead: a deployment of prefect.yaml, run by the worker.")
    ] = "",
) -> None:
    """Run a flow: a file, right here, or with --deployed by the worker."""
    from monolith.cli import flows

    flows.run(context.obj, file, deployed, context.args)


@app.command(rich_help_panel="Flows")
def env(context: typer.Context) -> None:
    """Print shell exports for your own programs. Use: eval "$(./monolith env)" """
    from monolith.cli import inspection

    inspection.env(context.obj)


@app.command(rich_help_panel="Project")
def validate(context: typer.Context, json: AsJson = False) -> None:
    """Check every manifest of the stack; nothing is written."""
    from monolith.cli import project

    project.validate(context.obj, as_json=json)


@app.command(rich_help_panel="Project")
def render(
    context: typer.Context,
    check: Annotated[bool, typer.Option(help="Write nothing; fail when a file differs.")] = False,
) -> None:
    """Write the files that are made from the manifests.

    These are .env.example, the reference, Prometheus' targets and rules, and the dashboards.
    """
    from monolith.cli import project

    project.render(context.obj, check=check)


@app.command(rich_help_panel="Project")
def test(
    context: typer.Context,
    lanes: Annotated[
        list[str] | None,
        typer.Argument(help="lint, unit, cases, rules, native, store, compose, full"),
    ] = None,
) -> None:
    """Run the tests: every lane that this machine can run."""
    from monolith.cli import testing

    testing.test(context.obj, lanes or [])


tools = typer.Typer(
    no_args_is_help=True,
    help="Build the server programs that are written in Go, or show them.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(tools, name="tools", rich_help_panel="Project")


@tools.command("build")
def tools_build(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Tools; none: all of them.")] = None,
) -> None:
    """Build programs with Go, or take them ready from the folder MONOLITH_TOOLS."""
    from monolith.cli import tools as verbs

    verbs.build(context.obj, names or [])


@tools.command("list")
def tools_list(context: typer.Context, json: AsJson = False) -> None:
    """Show every tool: its version, whether it is ready, and where."""
    from monolith.cli import tools as verbs

    verbs.show(context.obj, as_json=json)


images = typer.Typer(
    no_args_is_help=True,
    help="Build the containers' images from package registries, or show them.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(images, name="images", rich_help_panel="Project")


@images.command("build")
def images_build(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Images; none: all of them.")] = None,
) -> None:
    """Build what is missing or out of date. An image that was pulled is never replaced."""
    from monolith.cli import images as verbs

    verbs.build(context.obj, names or [])


@images.command("list")
def images_list(context: typer.Context, json: AsJson = False) -> None:
    """Show every image: its name, its state, and where its content is from."""
    from monolith.cli import images as verbs

    verbs.show(context.obj, as_json=json)


@app.command(rich_help_panel="Platform")
def bootstrap(
    context: typer.Context,
    steps: Annotated[list[str] | None, typer.Argument(help="Steps; none: all of them.")] = None,
    json: AsJson = False,
    watch: Annotated[
        bool, typer.Option(help="Go on: unseal Vault, and put right what is off.")
    ] = False,
) -> None:
    """Set everything up that services need: secrets, databases, buckets, first users."""
    from monolith.cli import bootstrap as verbs

    verbs.bootstrap(context.obj, steps or [], as_json=json, watch=watch)


@app.command(rich_help_panel="Project")
def portal(
    context: typer.Context,
    catalogue: Annotated[bool, typer.Option(help="Print what it shows of the manifests.")] = False,
) -> None:
    """Serve the portal: what the container of that name runs."""
    from monolith.cli import portal as verbs

    verbs.portal(context.obj, catalogue=catalogue)


secrets = typer.Typer(
    no_args_is_help=True,
    help="Show and set the secrets of services.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(secrets, name="secrets", rich_help_panel="Platform")


@secrets.command("list")
def secrets_list(context: typer.Context, json: AsJson = False) -> None:
    """Show the names of all secrets."""
    from monolith.cli import secrets as verbs

    verbs.show_all(context.obj, as_json=json)


@secrets.command("show")
def secrets_show(
    context: typer.Context,
    name: OneService,
    key: Annotated[str, typer.Argument(help="One secret; none: all of the service.")] = "",
) -> None:
    """Print secrets of a service, with their values."""
    from monolith.cli import secrets as verbs

    verbs.show(context.obj, name, key)


@secrets.command("set")
def secrets_set(
    context: typer.Context,
    name: OneService,
    key: Annotated[str, typer.Argument(help="The secret to change.")],
) -> None:
    """Change a secret; the value comes from standard input, or is asked for."""
    from monolith.cli import secrets as verbs

    verbs.set_value(context.obj, name, key)


store = typer.Typer(
    no_args_is_help=True,
    help="Show the object store, or move to another program.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(store, name="store", rich_help_panel="Platform")


@store.command("status")
def store_status(context: typer.Context, json: AsJson = False) -> None:
    """Show which program is the object store, and which may take its place."""
    from monolith.cli import store as verbs

    verbs.status(context.obj, as_json=json)


@store.command("migrate")
def store_migrate(
    context: typer.Context,
    to: Annotated[str, typer.Option(help="The other store: minio or versitygw.")],
) -> None:
    """Copy all objects to the other store, check them, and switch the stack to it."""
    from monolith.cli import store as verbs

    verbs.migrate(context.obj, to)


@store.command("copy", hidden=True)
def store_copy(
    context: typer.Context,
    other: str,
    run: str,
    final: Annotated[bool, typer.Option(help="Nobody writes any more.")] = False,
) -> None:
    """Copy to the store beside; what the platform's container runs for `migrate`."""
    from monolith.cli import store as verbs

    verbs.copy(context.obj, other, run, final=final)


def main() -> None:
    """Run the command line. Exit codes: 0, 1 (told why), 2 (usage), 130 (Ctrl-C)."""
    try:
        app(prog_name="./monolith")
    except UserError as error:
        _print_error(error)
        sys.exit(1)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            sys.stderr.write("\nStopped by Ctrl-C. ./monolith status shows what runs.\n")
        raise
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _print_error(error: UserError) -> None:
    red, plain = ("\x1b[31m", "\x1b[0m") if sys.stderr.isatty() else ("", "")
    sys.stderr.write(f"{red}Error:{plain} {error}\n")
