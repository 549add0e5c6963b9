"""The manifests in deploy/kubernetes: valid by Kubernetes' own schemas, in step with the services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.unit.test_configuration_in_step import SERVICES, variables

FOLDER = Path(__file__).parents[3] / "deploy" / "kubernetes"
LAYOUTS = ("one-pod", "split")
PARTS = ("sender", "agents", "avatar")
VERSION = "1.34"
"""Of the schemas: the oldest Kubernetes that is still maintained."""


def resources(layout: str) -> list[dict[str, Any]]:
    """What the kustomization lists."""
    kustomization = yaml.safe_load((FOLDER / layout / "kustomization.yaml").read_text())
    return [
        resource
        for name in kustomization["resources"]
        for resource in yaml.safe_load_all((FOLDER / layout / name).read_text())
    ]


def pods(layout: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The workloads and their pods."""
    for resource in resources(layout):
        if "template" in resource["spec"]:
            yield resource, resource["spec"]["template"]


def containers(layout: str) -> dict[str, Mapping[str, Any]]:
    return {container["name"]: container for _, pod in pods(layout) for container in pod["spec"]["containers"]}


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in container["env"]}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_file_is_listed_and_every_resource_is_valid(layout: str) -> None:
    listed = yaml.safe_load((FOLDER / layout / "kustomization.yaml").read_text())["resources"]
    assert sorted([*listed, "kustomization.yaml"]) == sorted(path.name for path in (FOLDER / layout).iterdir())
    for resource in resources(layout):
        kubernetes_validate.validate(resource, VERSION, strict=True)


def test_a_resource_that_is_not_valid_is_found() -> None:
    workload = next(resource for resource, _ in pods("split"))
    workload["spec"]["template"]["spec"]["terminationGraceSeconds"] = 60
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(dict(workload), VERSION, strict=True)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_selectors_find_the_pods_that_they_mean(layout: str) -> None:
    labels = [pod["metadata"]["labels"] for _, pod in pods(layout)]
    for resource, pod in pods(layout):
        assert resource["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]
    for resource in resources(layout):
        if resource["kind"] == "Service":
            assert resource["spec"]["selector"] in labels
        if resource["kind"] == "PodDisruptionBudget":
            assert resource["spec"]["selector"]["matchLabels"] in labels
        if resource["kind"] == "HorizontalPodAutoscaler":
            target = resource["spec"]["scaleTargetRef"]["name"]
            (scaled,) = [workload for workload, _ in pods(layout) if workload["metadata"]["name"] == target]
            assert "replicas" not in scaled["spec"]  # each `kubectl apply` would undo the autoscaler's


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_part_has_a_disruption_budget(layout: str) -> None:
    budgets = [
        resource["spec"]["selector"]["matchLabels"]
        for resource in resources(layout)
        if resource["kind"] == "PodDisruptionBudget"
    ]
    assert all(pod["metadata"]["labels"] in budgets for _, pod in pods(layout))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_pod_has_longer_to_stop_than_what_plays_may_take(layout: str) -> None:
    for _, pod in pods(layout):
        for container in pod["spec"]["containers"]:
            drain = float(environment(container).get("MOUTHPIECE_DRAIN", "0"))
            assert pod["spec"]["terminationGracePeriodSeconds"] >= drain + 30


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("part", PARTS)
def test_a_container_has_probes_limits_its_own_secret_and_no_privilege(layout: str, part: str) -> None:
    container = containers(layout)[part]
    ports = {port["name"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] in ports
    assert container["resources"]["limits"]["memory"]
    assert container["envFrom"] == [{"secretRef": {"name": f"mouthpiece-{part}"}}]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("part", PARTS)
def test_a_container_is_given_settings_that_its_service_has(layout: str, part: str) -> None:
    known = {variable for variable, _ in variables(part)}
    assert set(SERVICES) == set(PARTS)
    assert set(environment(containers(layout)[part])) <= known


def test_apart_no_part_is_asked_for_more_while_it_can_take_no_more() -> None:
    for part in ("sender", "avatar"):
        assert containers("split")[part]["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert containers("split")[part]["livenessProbe"]["httpGet"]["path"] == "/healthz"
