"""One exchange that was counted, as those see it who keep something of single ones."""

from types import SimpleNamespace
from typing import Any

from made_profiles import profile_of

from exporter.records import Body, Capture, Exchange, Label, Observation, Table
from exporter.trace_context import Context
from exporter.traced import Tail
from exporter.witness.seeing import Seen
from exporter.witnessed import Flag

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CONTEXT = Context(TRACE, SPAN, True)
NOTHING = Tail(errors=False, slow=0.0, unusual=False, drifted=False)


def exchange(**changes: Any) -> Exchange:
    body = Body(2, Capture.WHOLE, b"{}")
    usual = Exchange(
        10**9, 1_760_000_000_123_456_789, 12_000_000, 200, "POST", "/v1/models/m:predict", {}, {}, body, body
    )
    return usual._replace(**changes)


def seen(context: Context | None = CONTEXT, flags: tuple[Flag, ...] = (), **changes: Any) -> Seen:
    table = Table(1, ("f0", "f1"), ((1.5,), ("<b>",)))
    told = Observation(table, None, "instances", "m", "1", "order-17")
    return Seen(
        exchange(**changes), told, told, SimpleNamespace(label=Label("m", "1"), profile=profile_of(2)), context, flags
    )  # type: ignore[arg-type]
