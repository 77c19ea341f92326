"""The agent's figures as Prometheus reads them, in its text format 0.0.4, which its own client library writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from reconciler.ledger.task_records import FAILED, FINISHED, RUNNING
from reconciler.loop.passes import World
from reconciler.planning.storagevolume.loss import DATA_LOST
from reconciler.reporting.metrics import BOUNDS_S, Counted
from reconciler.status.drift import deviations
from reconciler.status.status import READY, RESTART_REQUIRED, printable_status
from reconciler.version import VERSION

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

# What stands behind a name: the values of its labels, and the number.
Row = tuple[tuple[str, ...], float]


class _Families(Collector):
    """What was found, for the library, which asks for it."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """All of it."""
        return self._found


def metrics_text(
    world: World, counted: Counted, webhooks: Mapping[tuple[str, str], int], tasks: Mapping[str, int]
) -> str:
    """Everything, ready to be sent."""
    return text_of(_families(world, counted, webhooks, tasks))


def text_of(families: Iterable[Metric]) -> str:
    """These families in Prometheus' format."""
    return generate_latest(_Families(families)).decode()


def _families(
    world: World, counted: Counted, webhooks: Mapping[tuple[str, str], int], tasks: Mapping[str, int]
) -> Iterator[Metric]:
    yield gauge("onggi_build_info", "The version of onggi.", ["version"], [((VERSION,), 1)])
    revision = str(world.desired.revision)
    yield gauge("onggi_revision_info", "The revision in force.", ["revision"], [((revision,), 1)])
    yield _histogram("onggi_reconcile_duration_seconds", "How long passes took.", counted)
    ended = counted.outcomes
    yield _counter("onggi_reconcile_total", "Steps that ended, by kind and result.", ["kind", "result"], ended)
    yield gauge(
        "onggi_resource_info", "Every declared object and how it is.", ["kind", "name", "ready", "status"],
        _resources(world),
    )  # fmt: skip
    yield gauge(
        "onggi_drift_fields", "Fields on the host that aren't as declared.", ["kind", "name", "policy"], _drift(world)
    )
    yield gauge(
        "onggi_restart_required", "Objects with changes that wait for a boot.", ["kind", "name"],
        _with(world, RESTART_REQUIRED),
    )  # fmt: skip
    yield gauge(
        "onggi_data_lost", "Objects whose data is gone from the host.", ["kind", "name"], _with(world, DATA_LOST)
    )
    yield _number("onggi_plan_steps", "Steps that are to be done.", len(world.plan.steps))
    yield _number("onggi_plan_blocked", "What won't be done as it is.", len(world.plan.blocked))
    yield _number("onggi_libvirt_connected", "Whether the host can be reached.", world.snapshot.connected)
    yield _number(
        "onggi_source_readable", "Whether the repository answers and its newest revision can be followed.",
        world.source is None or world.source.is_followed,
    )  # fmt: skip
    yield gauge(
        "onggi_source_unreadable_since_seconds", "When it ceased to, in seconds since 1970, with the reason.",
        ["reason"], _source(world, followed=False),
    )  # fmt: skip
    yield gauge(
        "onggi_source_rewritten_since_seconds",
        "When its history was rewritten, in seconds since 1970, while what that lacks waits for an approval.",
        ["reason"], _source(world, followed=True),
    )  # fmt: skip
    yield gauge("onggi_document_problems", "Mistakes in documents, by file.", ["path"], _problems(world))
    yield gauge(
        "onggi_conditions", "What holds for objects beside that they are ready.", ["kind", "name", "type", "reason"],
        _noted(world),
    )  # fmt: skip
    yield gauge(
        "onggi_tasks", "Long tasks that are remembered, by status.", ["status"],
        [((status,), tasks.get(status, 0)) for status in (RUNNING, FINISHED, FAILED)],
    )  # fmt: skip
    yield _counter(
        "onggi_webhook_requests_total", "Webhooks, by provider and what became of them.", ["provider", "result"],
        webhooks,
    )  # fmt: skip


def _resources(world: World) -> Iterator[Row]:
    for ref, conditions in sorted(world.conditions.items()):
        ready = any(item.type == READY and item.status for item in conditions)
        yield (ref.kind, ref.name, str(ready).lower(), printable_status(conditions, world.snapshot.get(ref))), 1


def _drift(world: World) -> Iterator[Row]:
    fields: Counter[tuple[str, ...]] = Counter()
    for item in deviations(world.drift):
        fields[item.ref.kind, item.ref.name, item.policy] += len(item.fields)
    yield from sorted(fields.items())


def _source(world: World, *, followed: bool) -> Iterator[Row]:
    if world.source is not None and world.source.since and world.source.is_followed is followed:
        yield (world.source.reason,), datetime.fromisoformat(world.source.since).timestamp()


def _problems(world: World) -> Iterator[Row]:
    for path, count in sorted(Counter(problem.path for problem in world.desired.problems).items()):
        yield (path,), count


def _noted(world: World) -> Iterator[Row]:
    for ref, conditions in sorted(world.conditions.items()):
        for item in conditions:
            if item.type != READY and item.status:
                yield (ref.kind, ref.name, item.type, item.reason), 1


def _with(world: World, condition: str) -> Iterator[Row]:
    for ref, conditions in sorted(world.conditions.items()):
        if any(item.type == condition and item.status for item in conditions):
            yield (ref.kind, ref.name), 1


# The library's families


def gauge(name: str, told: str, labels: Sequence[str], rows: Iterable[Row]) -> Metric:
    """What goes up and down, or just holds."""
    family = GaugeMetricFamily(name, told, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _number(name: str, told: str, number: float) -> Metric:
    return gauge(name, told, (), [((), number)])


def _counter(name: str, told: str, labels: Sequence[str], counts: Mapping[tuple[str, str], int]) -> Metric:
    family = CounterMetricFamily(name, told, labels=labels)
    for values, count in sorted(counts.items()):
        family.add_metric(values, count)
    return family


def _histogram(name: str, told: str, counted: Counted) -> Metric:
    bounds = (*(f"{bound:g}" for bound in BOUNDS_S), "+Inf")
    return HistogramMetricFamily(
        name, told, buckets=list(zip(bounds, counted.passes, strict=True)), sum_value=counted.seconds
    )
