"""The agent's figures as Prometheus reads them: its text format 0.0.4, written by hand for a handful of families."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.applying.task_records import FAILED, FINISHED, RUNNING, TaskRecord
from reconciler.passes import World
from reconciler.planning.loss import DATA_LOST
from reconciler.reporting.drift import deviations
from reconciler.reporting.metrics import BOUNDS_S, Counted
from reconciler.reporting.status import READY, RESTART_REQUIRED, printable_status
from reconciler.version import VERSION

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: what comes behind the family's name, the labels, and the value."""

    value: float
    labels: Labels
    suffix: str = ""


def metrics_text(
    world: World, counted: Counted, webhooks: Mapping[tuple[str, str], int], tasks: Iterable[TaskRecord]
) -> str:
    """Everything, ready to be sent."""
    return "".join(_families(world, counted, webhooks, tasks))


def _families(
    world: World, counted: Counted, webhooks: Mapping[tuple[str, str], int], tasks: Iterable[TaskRecord]
) -> Iterator[str]:
    yield _family("onggi_build_info", "gauge", "The version of onggi.", [Sample(1, {"version": VERSION})])
    yield _family(
        "onggi_revision_info", "gauge", "The revision in force.", [Sample(1, {"revision": str(world.desired.revision)})]
    )
    yield _family("onggi_reconcile_duration_seconds", "histogram", "How long passes took.", _histogram(counted))
    yield _family(
        "onggi_reconcile_total", "counter", "Steps that ended, by kind and result.",
        (Sample(count, {"kind": kind, "result": result}) for (kind, result), count in sorted(counted.outcomes.items())),
    )  # fmt: skip
    yield _family("onggi_resource_info", "gauge", "Every declared object and how it is.", _resources(world))
    yield _family("onggi_drift_fields", "gauge", "Fields on the host that aren't as declared.", _drift(world))
    yield _family(
        "onggi_restart_required", "gauge", "Objects with changes that wait for a boot.", _with(world, RESTART_REQUIRED)
    )
    yield _family("onggi_data_lost", "gauge", "Objects whose data is gone from the host.", _with(world, DATA_LOST))
    yield _family("onggi_plan_steps", "gauge", "Steps that are to be done.", [Sample(len(world.plan.steps), {})])
    yield _family("onggi_plan_blocked", "gauge", "What won't be done as it is.", [Sample(len(world.plan.blocked), {})])
    yield _family(
        "onggi_libvirt_connected", "gauge", "Whether the host can be reached.",
        [Sample(int(world.snapshot.connected), {})],
    )  # fmt: skip
    yield _family(
        "onggi_source_readable", "gauge", "Whether the repository answers and its newest revision can be followed.",
        [Sample(int(world.source is None or world.source.is_followed), {})],
    )  # fmt: skip
    yield _family(
        "onggi_source_unreadable_since_seconds", "gauge", "When it ceased to, in seconds since 1970, with the reason.",
        _source(world, followed=False),
    )  # fmt: skip
    yield _family(
        "onggi_source_rewritten_since_seconds", "gauge",
        "When its history was rewritten, in seconds since 1970, while what that lacks waits for an approval.",
        _source(world, followed=True),
    )  # fmt: skip
    yield _family("onggi_document_problems", "gauge", "Mistakes in documents, by file.", _problems(world))
    yield _family("onggi_conditions", "gauge", "What holds for objects beside that they are ready.", _noted(world))
    by_status = Counter(task.status for task in tasks)
    yield _family(
        "onggi_tasks", "gauge", "Long tasks that are remembered, by status.",
        [Sample(by_status[status], {"status": status}) for status in (RUNNING, FINISHED, FAILED)],
    )  # fmt: skip
    yield _family(
        "onggi_webhook_requests_total", "counter", "Webhooks, by provider and what became of them.",
        (Sample(count, {"provider": who, "result": result}) for (who, result), count in sorted(webhooks.items())),
    )  # fmt: skip


def _histogram(counted: Counted) -> Iterator[Sample]:
    for bound, count in zip((*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"), counted.passes, strict=True):
        yield Sample(count, {"le": bound}, "_bucket")
    yield Sample(counted.seconds, {}, "_sum")
    yield Sample(counted.passes[-1], {}, "_count")


def _resources(world: World) -> Iterator[Sample]:
    for ref, conditions in sorted(world.conditions.items()):
        ready = any(item.type == READY and item.status for item in conditions)
        word = printable_status(conditions, world.snapshot.get(ref))
        yield Sample(1, {"kind": ref.kind, "name": ref.name, "ready": str(ready).lower(), "status": word})


def _drift(world: World) -> Iterator[Sample]:
    fields: Counter[tuple[str, str, str]] = Counter()
    for item in deviations(world.drift):
        fields[item.ref.kind, item.ref.name, item.policy] += len(item.fields)
    for (kind, name, policy), count in sorted(fields.items()):
        yield Sample(count, {"kind": kind, "name": name, "policy": policy})


def _source(world: World, *, followed: bool) -> Iterator[Sample]:
    if world.source is not None and world.source.since and world.source.is_followed is followed:
        yield Sample(datetime.fromisoformat(world.source.since).timestamp(), {"reason": world.source.reason})


def _problems(world: World) -> Iterator[Sample]:
    for path, count in sorted(Counter(problem.path for problem in world.desired.problems).items()):
        yield Sample(count, {"path": path})


def _noted(world: World) -> Iterator[Sample]:
    for ref, conditions in sorted(world.conditions.items()):
        for item in conditions:
            if item.type != READY and item.status:
                yield Sample(1, {"kind": ref.kind, "name": ref.name, "type": item.type, "reason": item.reason})


def _with(world: World, condition: str) -> Iterator[Sample]:
    for ref, conditions in sorted(world.conditions.items()):
        if any(item.type == condition and item.status for item in conditions):
            yield Sample(1, {"kind": ref.kind, "name": ref.name})


# The format


def _family(name: str, kind: str, told: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{each.suffix}{_labels(each.labels)} {each.value:.17g}" for each in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
