"""Train classifiers on handwritten digits, register the best one and keep a champion.

It knows no address: Prefect reads PREFECT_API_URL, MLflow reads MLFLOW_TRACKING_URI.
"""

import json
import os
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple

import mlflow
import numpy as np
from matplotlib.figure import Figure
from mlflow.models import infer_signature
from prefect import flow, get_run_logger, task, unmapped
from prefect.artifacts import create_link_artifact, create_table_artifact
from prefect.cache_policies import INPUTS, NO_CACHE, TASK_SOURCE
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff
from pydantic import Field
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import Bunch

# Prefect's retries are on view in its UI, so MLflow's silent ones are kept short.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
# Standard output belongs to the result; the run links are Prefect artifacts.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")

CANDIDATES: dict[str, Callable[[], ClassifierMixin]] = {
    "svc": lambda: SVC(C=10, gamma=0.001),
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)),
    "neighbours": lambda: KNeighborsClassifier(n_neighbors=3),
}
Name = Literal["svc", "logistic", "neighbours"]
Share = Annotated[float, Field(gt=0, lt=1)]

NETWORK: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "cache_policy": NO_CACHE,
}


class Candidate(NamedTuple):
    """One trained model and where MLflow keeps it."""

    name: str
    cv_mean: float
    cv_std: float
    accuracy: float
    run_id: str
    run_url: str
    model_uri: str


# TASK_SOURCE: an edited task must not be answered from what it returned before.
@task(cache_policy=INPUTS + TASK_SOURCE, persist_result=True)
def load(test_size: float, seed: int) -> Bunch:
    """Return the digits in a training and a held-out part; the same seed, the same split."""
    names = ("images", "held_out_images", "labels", "held_out_labels")
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(
        images, labels, test_size=test_size, random_state=seed, stratify=labels
    )
    return Bunch(**dict(zip(names, parts, strict=True)))


@task(**NETWORK)
def open_experiment(name: str) -> str:
    """Return the id of the MLflow experiment, made if missing."""
    return mlflow.set_experiment(name).experiment_id


@task(**NETWORK, task_run_name="train-{name}")
def train(name: Name, digits: Bunch, seed: int, parent: mlflow.entities.RunInfo) -> Candidate:
    """Cross-validate and fit one candidate in an MLflow run of its own."""
    model = CANDIDATES[name]()
    with start_run(parent.experiment_id, name, parent_run_id=parent.run_id) as run:
        folds = cross_validate(model, digits, seed)
        predicted = model.fit(digits.images, digits.labels).predict(digits.held_out_images)
        scores = {
            "cv_mean": float(folds.mean()),
            "cv_std": float(folds.std()),
            "accuracy": float(accuracy_score(digits.held_out_labels, predicted)),
        }
        model_uri = log_candidate(name, model, digits, predicted, scores)
    url = run_url(run.info)
    create_link_artifact(url, f"MLflow run {name}", key=f"mlflow-run-{name}")
    return Candidate(name, **scores, run_id=run.info.run_id, run_url=url, model_uri=model_uri)


@task(**NETWORK)
def register(best: Candidate, model_name: str) -> int:
    """Make the best candidate the next version of the registered model."""
    tags = prefect_tags() | {"candidate": best.name, "accuracy": f"{best.accuracy:.4f}"}
    registered = mlflow.register_model(
        best.model_uri, model_name, await_registration_for=0, tags=tags
    )
    return int(registered.version)


@task(**NETWORK)
def reigning_champion(model_name: str) -> int | None:
    """Return the version the alias `champion` points to, if any."""
    champion = mlflow.MlflowClient().get_registered_model(model_name).aliases.get("champion")
    return champion and int(champion)


@task(**NETWORK)
def score(model_uri: str, digits: Bunch) -> float:
    """Load a model from MLflow and return its accuracy on the held-out digits."""
    model = mlflow.sklearn.load_model(model_uri)
    return float(model.score(digits.held_out_images, digits.held_out_labels))


@task(**NETWORK)
def crown(model_name: str, model_version: int) -> None:
    """Point the alias `champion` to this version."""
    mlflow.MlflowClient().set_registered_model_alias(model_name, "champion", str(model_version))


@flow(name="train-digits", task_runner=ThreadPoolTaskRunner(max_workers=2))
def train_digits(
    test_size: Share = 0.25,
    seed: int = 0,
    model_name: str = "digits",
    minimum_accuracy: Share = 0.96,
    candidates: Annotated[list[Name], Field(min_length=1)] = list(CANDIDATES),  # noqa: B006
) -> dict[str, Any]:
    """Train the candidates, register the best and let it challenge the champion."""
    digits = load(test_size, seed)
    with start_run(open_experiment(model_name), flow_run.name) as run:
        trained = train.map(candidates, unmapped(digits), seed, unmapped(run.info)).result()
        mlflow.log_params(flow_run.parameters)
        publish_table(trained)
        best = max(trained, key=attrgetter("cv_mean"))
        outcome = challenge(best, register(best, model_name), digits, model_name, minimum_accuracy)
        mlflow.log_metric("champion_accuracy", outcome["accuracy"])
    result = outcome | {
        "flow_run_id": flow_run.id,
        "mlflow_run_id": run.info.run_id,
        "experiment_id": run.info.experiment_id,
        "mlflow_url": run_url(run.info),
    }
    get_run_logger().info(summary(best, result))
    return result


def challenge(
    best: Candidate, new: int, digits: Bunch, model_name: str, minimum: float
) -> dict[str, Any]:
    """Crown the new version only if it beats the champion, then score what MLflow serves."""
    old = reigning_champion(model_name)
    # A champion of another seed has seen some of these digits: it errs on its side.
    to_beat = score(f"models:/{model_name}/{old}", digits) if old else 0.0
    changed = best.accuracy > to_beat
    require(max(best.accuracy, to_beat), minimum, f"the best version of {model_name}")
    if changed:
        crown(model_name, new)
    served = score(f"models:/{model_name}@champion", digits)
    require(served, minimum, f"{model_name}@champion, loaded from MLflow,")
    return {
        "model": model_name,
        "version": new,
        "candidate": best.name,
        "candidate_accuracy": best.accuracy,
        "accuracy": served,
        "champion_version": new if changed else old,
        "champion_changed": changed,
        "previous_champion": old,
        "previous_accuracy": to_beat if old else None,
    }


def require(accuracy: float, minimum: float, who: str) -> None:
    """Fail the flow where a model is not good enough."""
    if accuracy < minimum:
        raise ValueError(
            f"{who} reads {accuracy:.4f} of the held-out digits right; {minimum} is required"
        )


def start_run(experiment_id: str, name: str, **options: Any) -> mlflow.ActiveRun:
    """Start an MLflow run that names the Prefect flow run it belongs to."""
    return mlflow.start_run(
        experiment_id=experiment_id, run_name=name, tags=prefect_tags(), **options
    )


def prefect_tags() -> dict[str, str]:
    """Return what leads from MLflow back to Prefect."""
    return {
        "prefect.flow_run_id": flow_run.id,
        "prefect.flow_run_name": flow_run.name,
        "prefect.flow_name": flow_run.flow_name,
    }


def run_url(run: mlflow.entities.RunInfo) -> str:
    """Return the page of a run in the MLflow UI."""
    server = mlflow.get_tracking_uri().rstrip("/")
    return f"{server}/#/experiments/{run.experiment_id}/runs/{run.run_id}"


def cross_validate(model: ClassifierMixin, digits: Bunch, seed: int) -> np.ndarray:
    """Return the accuracy in each of five folds of the training part."""
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    return cross_val_score(model, digits.images, digits.labels, cv=folds)


def log_candidate(
    name: Name,
    model: ClassifierMixin,
    digits: Bunch,
    predicted: np.ndarray,
    scores: dict[str, float],
) -> str:
    """Write parameters, model, metrics and pictures to the active run; return the model URI."""
    mlflow.log_params(plain_parameters(model))
    logged = log_model(model, digits)
    mlflow.log_metrics(scores, model_id=logged.model_id)
    mlflow.log_figure(draw_confusion(name, digits, predicted), "confusion_matrix.png")
    mlflow.log_figure(draw_misread(name, digits, predicted), "misread_digits.png")
    return logged.model_uri


def plain_parameters(model: ClassifierMixin) -> dict[str, Any]:
    """Return the model's parameters without the nested estimators."""
    return {k: v for k, v in model.get_params().items() if isinstance(v, str | int | float)}


def log_model(model: ClassifierMixin, digits: Bunch) -> mlflow.models.model.ModelInfo:
    """Log the model with its signature, an input example and the packages it needs."""
    return mlflow.sklearn.log_model(
        model,
        name="model",
        signature=infer_signature(digits.images, model.predict(digits.images)),
        input_example=digits.images[:2],
        conda_env=model_environment(),
    )


def model_environment() -> dict[str, Any]:
    """Return the environment of the model, so that MLflow need not guess it by a slow trial."""
    packages = ("mlflow-skinny", "numpy", "pandas", "scikit-learn", "scipy", "skops")
    pinned = [f"{package}=={version(package)}" for package in packages]
    python = f"python={platform.python_version()}"
    return {"channels": ["conda-forge"], "dependencies": [python, "pip", {"pip": pinned}]}


# Figures are made without pyplot, which keeps global state and is not safe in threads.
def draw_confusion(name: Name, digits: Bunch, predicted: np.ndarray) -> Figure:
    """Draw how often each digit was read as which."""
    counts = confusion_matrix(digits.held_out_labels, predicted)
    figure = Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues")
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if row == column else "black"
        axes.text(column, row, count or "", ha="center", va="center", color=colour)
    axes.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="is")
    axes.set_title(f"{name}: {np.trace(counts)} of {counts.sum()} held-out digits read right")
    return figure


def draw_misread(name: Name, digits: Bunch, predicted: np.ndarray) -> Figure:
    """Draw the misread digits, at most 24, side by side."""
    wrong = np.flatnonzero(predicted != digits.held_out_labels)
    figure, grid = contact_sheet(len(wrong[:24]))
    figure.suptitle(f"{name}: {len(wrong)} of {len(predicted)} held-out digits misread")
    for axes, index in zip(grid, wrong, strict=False):
        axes.imshow(digits.held_out_images[index].reshape(8, 8), cmap="gray_r")
        axes.set_title(f"is {digits.held_out_labels[index]}, read {predicted[index]}", fontsize=10)
    return figure


def contact_sheet(pictures: int) -> tuple[Figure, np.ndarray]:
    """Return a figure with room for so many pictures, and its empty places."""
    columns = min(max(pictures, 4), 6)
    rows = max(1, -(-pictures // columns))
    figure = Figure(figsize=(1.4 * columns, 1.6 * rows + 0.6), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.axis("off")
    return figure, grid


def publish_table(trained: list[Candidate]) -> None:
    """Show the candidates side by side in Prefect, the best in cross-validation first."""
    ranked = sorted(trained, key=attrgetter("cv_mean"), reverse=True)
    links = ", ".join(f"[{candidate.name}]({candidate.run_url})" for candidate in ranked)
    create_table_artifact(
        [table_row(candidate) for candidate in ranked],
        key="digits-candidates",
        description=f"MLflow runs: {links}",
    )


def table_row(candidate: Candidate) -> dict[str, Any]:
    """Return one line of the table of candidates."""
    return {
        "candidate": candidate.name,
        "cv mean": round(candidate.cv_mean, 4),
        "cv std": round(candidate.cv_std, 4),
        "held-out accuracy": round(candidate.accuracy, 4),
        "MLflow run": candidate.run_url,
    }


def summary(best: Candidate, result: dict[str, Any]) -> str:
    """Say in four lines what came out."""
    return (
        f"\n{result['model']} version {result['version']} is {best.name}: cross-validation "
        f"{best.cv_mean:.4f} ± {best.cv_std:.4f}, held-out {best.accuracy:.4f}\n"
        f"{decision(result)}\n"
        f"{result['model']}@champion, loaded from MLflow, scores {result['accuracy']:.4f}\n"
        f"MLflow run: {result['mlflow_url']}"
    )


def decision(result: dict[str, Any]) -> str:
    """Say whether the champion changed, and why."""
    old, previous = result["previous_champion"], result["previous_accuracy"]
    if old is None:
        return f"The first champion is version {result['version']}"
    if result["champion_changed"]:
        return f"The champion is now version {result['version']}: version {old} has {previous:.4f}"
    return f"The champion stays version {old}: its {previous:.4f} is not beaten"


if __name__ == "__main__":
    print(json.dumps(train_digits(**json.loads(sys.argv[1] if sys.argv[1:] else "{}"))))
