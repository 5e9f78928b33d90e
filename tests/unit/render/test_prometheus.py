"""Prometheus's targets: those that the manifests name, each asked in its own way."""

from __future__ import annotations

from typing import Any

import yaml

from monolith.manifest.stack import Stack
from monolith.render import prometheus
from tests.unit.conftest import ROOT, MakeStack, service


def rendered(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(prometheus.targets(stack))
    return found


def test_a_service_with_metrics_is_a_target_by_its_name(make_stack: MakeStack) -> None:
    stack = make_stack({"web": service("web", {"metrics": {"port": 9100}})})
    assert rendered(stack) == [
        {
            "targets": ["web.service.consul:9100"],
            "labels": {"service": "web", "stack": "minimal"},
        }
    ]


def test_path_and_query_are_labels_that_prometheus_takes_for_its_request(
    make_stack: MakeStack,
) -> None:
    endpoint = {"port": 80, "path": "/v1/stats?format=prometheus&all=1"}
    labels = rendered(make_stack({"web": service("web", {"metrics": endpoint})}))[0]["labels"]
    assert labels == {
        "service": "web",
        "stack": "minimal",
        "__metrics_path__": "/v1/stats",
        "__param_format": "prometheus",
        "__param_all": "1",
    }


def test_a_service_may_have_several_and_tell_about_others(make_stack: MakeStack) -> None:
    endpoints = [{"port": 80}, {"port": 81, "own_labels": True}]
    found = rendered(make_stack({"web": service("web", {"metrics": endpoints})}))
    assert [target["targets"] for target in found] == [
        ["web.service.consul:80"], ["web.service.consul:81"],
    ]  # fmt: skip
    assert "__own_labels__" not in found[0]["labels"]
    assert found[1]["labels"]["__own_labels__"] == "true"


def test_what_is_taken_out_of_the_stack_is_no_target_any_more(make_stack: MakeStack) -> None:
    web, db = (service(name, {"metrics": {"port": 80}}) for name in ("web", "db"))
    assert len(rendered(make_stack({"web": web, "db": db}))) == 2
    assert [target["labels"]["service"] for target in rendered(make_stack({"db": db}))] == ["db"]


def test_no_metrics_at_all_are_an_empty_list(make_stack: MakeStack) -> None:
    assert rendered(make_stack({"web": service("web")})) == []


def test_the_scrape_configuration_reads_the_file_and_knows_its_labels() -> None:
    text = (ROOT / "config" / "prometheus" / "prometheus.yml").read_text()
    jobs = [
        job
        for job in yaml.safe_load(text)["scrape_configs"]
        if job["file_sd_configs"][0]["files"] == ["targets.yaml"]
    ]
    for job in jobs:
        assert job["relabel_configs"][0]["source_labels"] == ["__own_labels__"]
    actions = {job["relabel_configs"][0]["action"]: job.get("honor_labels", False) for job in jobs}
    assert actions == {"drop": False, "keep": True}
