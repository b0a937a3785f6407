"""Of the board of serving: replicas and what they use, and the relay in front of them."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links, objectives, tables
from exporter.dashboards.boards import serving_latency
from exporter.dashboards.looks import BLANK, GREEN, NAMED, PLAIN, RED, by_name, states, steps
from exporter.dashboards.pieces import Json, Panel, Query
from exporter.dashboards.queries import here, of, rate, recorded

_VERSION: Final = {"model_version": "$version"}
_UNSEEN: Final = {"noValue": "the process cannot be seen, or the rules are not loaded"}
_NO_LIMIT: Final = {"noValue": "no limit is known (Kubernetes alone), or the rules are not loaded"}
_NO_CONTAINERS: Final = {"noValue": "no containers are known (Kubernetes alone), or the rules are not loaded"}
_FEW: Final = 20


def replicas() -> Iterator[Panel]:
    """Which are up, and what they use."""
    up = of(c.SERVER_UP)
    # Recorded, they are those of the containers where the processes cannot be seen.
    cpu = recorded("instance:model_server_cpu:rate5m", **_VERSION)
    memory = recorded("instance:model_server_memory:bytes", **_VERSION)
    seldom = f"bottomk({_FEW}, min by (instance) (avg_over_time({up}[$__range] @ end())))"
    words = steps((None, RED), (1, GREEN)) | states((1, "up", GREEN), (0, "down", RED))
    yield Panel("state-timeline", "Model servers, by replica", f"Whether each accepted a connection; the {_FEW} that"
                " did so least over the time shown. Down for longer than a restart takes: look at its log.", "short",
                [Query(f"min by (instance) ({up}) and on (instance) {seldom}", "{{instance}}")], 12, 9,
                words, links=[links.to(links.FLEET, "Replicas and versions")])  # fmt: skip
    yield Panel("timeseries", "Requests in flight", f"Requests whose answer is not complete, the {_FEW} replicas with"
                " most. A line that only rises is a server that hangs; higher than its workers is a queue.", "short",
                [_of_replicas(of(c.IN_FLIGHT))], 12, 9, PLAIN | {"min": 0}, NAMED)  # fmt: skip
    yield Panel("timeseries", "CPU of the model server", f"Cores in use, the {_FEW} replicas with most: of the"
                " processes, or of the containers where these cannot be seen.", "none",
                [_of_replicas(f"{cpu} or {rate(c.SERVER_CPU)}")], 12, 8,
                PLAIN | {"min": 0} | _UNSEEN, NAMED)  # fmt: skip
    yield _used("CPU over its limit", "instance:model_server_cpu_used:ratio5m", "Slower answers come before it is full:"
                " raise the limit or add replicas.", "resources.cpu_used")  # fmt: skip
    yield Panel("timeseries", "Memory of the model server", f"Resident memory, the {_FEW} replicas with most, likewise."
                " A line that only rises is a leak.", "bytes",
                [_of_replicas(f"{memory} or {of(c.SERVER_MEMORY)}")], 12, 8,
                PLAIN | {"min": 0} | _UNSEEN, NAMED)  # fmt: skip
    yield _used("Memory over its limit", "instance:model_server_memory_used:ratio", "At 100 % the kernel kills it.",
                "resources.memory_used")  # fmt: skip
    starts = f"sum by (instance) (changes({of(c.SERVER_START)}[$__rate_interval])) > 0"
    yield Panel("timeseries", "Restarts of the model server", "How often its first process was another one within a few"
                " scrapes. More than one by itself: it crashes, or is killed for its memory.", "short",
                [_of_replicas(starts)], 12, 7, PLAIN | {"min": 0, "noValue": "none", "custom": {
                    "drawStyle": "bars", "fillOpacity": 100}})  # fmt: skip
    yield Panel("timeseries", "Processes of the model server", f"The one that listens and its descendants, the {_FEW}"
                " replicas with most. Fewer than usual: workers have died.", "short",
                [_of_replicas(of(c.SERVER_PROCESSES))], 12, 7, PLAIN | {"min": 0} | _UNSEEN,
                NAMED)  # fmt: skip


def _of_replicas(expr: str) -> Query:
    return Query(f"topk({_FEW}, max by (instance) ({expr}))", "{{instance}}")


def _used(title: str, name: str, text: str, threshold: str) -> Panel:
    line: Json = {"custom": {"axisSoftMax": 1, "thresholdsStyle": {"mode": "line"}}}
    return Panel(
        "timeseries", title,
        f"Share of what its container may use, the {_FEW} replicas with most. Tickets come above the line, as the rules"
        f" are shipped. {text}", "percentunit", [_of_replicas(recorded(name, **_VERSION))], 12, 8,
        steps((None, "transparent"), (objectives.value(threshold), RED)) | line | {"min": 0} | _NO_LIMIT, NAMED,
    )  # fmt: skip


def containers() -> Iterator[Panel]:
    """Of the pods of the chosen model, each container beside the exporter's."""
    labels = {"pod": "pod", "container": "container"}
    words = {
        "container:model_server_cpu:rate5m": "cores", "container:model_server_cpu_limit:cores": "cores at most",
        "container:model_server_memory:bytes": "memory",
        "container:model_server_memory_limit:bytes": "memory at most",
    }  # fmt: skip
    queries = [Query(f"topk(50, max by (pod, container) ({_of_pods(name)}))", said) for name, said in words.items()]
    yield Panel("table", "Containers beside the exporter", "What each container of the model's pods uses, and what it"
                " may use. Known on Kubernetes alone, where cAdvisor is scraped.", "none", queries, 24, 8,
                PLAIN | _NO_CONTAINERS, tables.worst_first("memory"),
                [BLANK, *(by_name(said, unit="bytes") for said in ("memory", "memory at most"))],
                tables.columns(queries, labels))  # fmt: skip


def _of_pods(name: str) -> str:
    """Containers know no model and no job: those in the pods of the chosen model's exporters."""
    recorded(name)
    return f"{name} and on (cluster, namespace, pod) {of(c.MODEL_INFO)}"


def relay() -> Iterator[Panel]:
    """What stands between clients and the server."""
    hop = f"sum by (le) ({here(rate(c.HOP))})"
    yield Panel("timeseries", "Time in the relay", "From being handed bytes to having passed them on, a sample of"
                " reads, all replicas together. Above some milliseconds the node is overloaded.", "s",
                [Query(serving_latency.of_buckets(level, hop), f"p{level * 100:g}") for level in (0.5, 0.99)], 8, 8,
                PLAIN | {"min": 0})  # fmt: skip
    cut = f"sum by (ended_by) ({here(rate(c.INCOMPLETE))})"
    yield Panel("timeseries", "Connections that failed", "Per second: clients that got a 502 because the server could"
                " not be reached, those that could not be let in, and those that the relay ended, by reason. Anything"
                " for long is an outage of somebody.", "ops",
                [Query(f"sum({here(rate(c.CONNECT_ERRORS))})", "server not reached"),
                 Query(f"sum by (reason) ({here(rate(c.ACCEPT_ERRORS))})", "not let in: {{reason}}"),
                 Query(f"sum by (reason) ({here(rate(c.CLOSED))})", "ended: {{reason}}")], 8, 8,
                PLAIN | {"min": 0, "noValue": "none"})  # fmt: skip
    yield Panel("timeseries", "Exchanges cut off", "Per second, by who ended the connection. By the server they count"
                " as failures: it crashed or gave up; by the client, its patience was too short.", "ops",
                [Query(cut, "{{ended_by}}")], 8, 8, PLAIN | {"min": 0, "noValue": "none"})  # fmt: skip
    yield Panel("timeseries", "All exchanges of the relay", "Per second, by code, health probes included: what the"
                " relay counts by itself, whatever becomes of the analyser. Of the whole server, all its models.",
                "reqps",
                [Query(f"topk(20, sum by (code) ({here(rate(c.PROXY_REQUESTS))}))", "{{code}}")], 12, 8,
                PLAIN | {"min": 0})  # fmt: skip
    buckets = f"sum by (le) ({here(rate(c.PROXY_DURATION))})"
    yield Panel("timeseries", "Latency of all exchanges", "As the relay counts it, health probes and all codes"
                " included; where it differs from the latency above, look at the probes.", "s",
                [Query(serving_latency.of_buckets(level, buckets), f"p{level * 100:g}") for level in (0.5, 0.99)], 12,
                8, PLAIN | {"min": 0})  # fmt: skip
