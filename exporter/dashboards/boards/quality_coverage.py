"""How much of the traffic the scores are about, and whether payloads are what the profile knows."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards.looks import GREEN, GREY, ORANGE, SHARE, states, steps
from exporter.dashboards.pieces import Panel, Query
from exporter.dashboards.queries import MODEL, here, of, rate, recorded

_MANY: Final = 20
_KINDS: Final = {"unknown": "values under unknown names", "vanished": "columns that are not there",
                 "type": "values of a wrong type"}  # fmt: skip


def schema() -> Iterator[Panel]:
    """Whether payloads fit the profile."""
    amiss = {text: recorded("model_kind:model_fields_amiss:per30m", kind=kind, model_version=MODEL["model_version"])
             for kind, text in _KINDS.items()}  # fmt: skip
    yield Panel("timeseries", "Fields that are not as the profile has them", "For each row or payload of the last half"
                " hour, all replicas together: values under names that the profile does not have, columns that are"
                " not there, values of a wrong type. A step is a changed schema.", "short",
                [Query(f"sum({expr})", legend) for legend, expr in amiss.items()], 8, 8,
                {"min": 0, "noValue": "fewer than 100 rows in half an hour"})  # fmt: skip
    fields = f"sum by (side) ({rate(c.PROFILE_MATCHED_FIELDS)}) / (sum by (side) ({rate(c.PROFILE_FIELDS)}) > 0)"
    yield Panel("timeseries", "Columns of the profile found", "Share of the profile's columns that decoded payloads"
                " have, by side. Payloads with fewer than half are not scored; less than all is a client that has"
                " dropped or renamed fields.", "percentunit", [Query(fields, "{{side}}")], 8, 8,
                SHARE | {"noValue": "no payload was decoded"})  # fmt: skip
    unfit = f"sum by (side) ({rate(c.PROFILE_MISMATCHED)}) / (sum by (side) ({rate(c.PROFILE_PAYLOADS)}) > 0)"
    yield Panel("timeseries", "Payloads that do not fit", "Share of decoded payloads with fewer than half of the"
                " profile's columns, or another number of them where they have no names. Nothing of them is scored;"
                " it may be another model's profile.", "percentunit", [Query(unfit, "{{side}}")], 8, 8,
                SHARE | {"noValue": "no payload was decoded"})  # fmt: skip
    made = states((0, "training data", GREEN), (1, "live traffic, provisional", ORANGE))
    yield Panel("stat", "The profile is made of", "Where it was made of live traffic, drift from it says nothing about"
                " the training: build one from the training data.", "none",
                [Query(f"max({of(c.PROFILE_PROVISIONAL)})")], 8, 4,
                steps((None, GREY), (0, GREEN), (1, ORANGE)) | made | {"noValue": "no profile"})  # fmt: skip
    version = states((0, "this version", GREEN), (1, "another version", ORANGE))
    yield Panel("stat", "The profile is of", "Whether settings or traffic name another version of the model than the"
                " profile does; then the profile of that version is needed.", "none",
                [Query(f"max({of(c.PROFILE_OTHER_VERSION)})")], 8, 4,
                steps((None, GREY), (0, GREEN), (1, ORANGE)) | version | {"noValue": "not said"})  # fmt: skip
    unreadable = states((0, "none", GREEN))
    yield Panel("stat", "Columns that cannot be counted", "Their categories are hashed under a salt that this exporter"
                " does not have (`salt_file`), so that nothing in them is counted.", "short",
                [Query(f"max({of(c.PROFILE_UNREADABLE)})")], 8, 4,
                steps((None, GREY), (0, GREEN), (1, ORANGE)) | unreadable | {"noValue": "no profile"})  # fmt: skip


def coverage() -> Iterator[Panel]:
    """How much of the traffic is looked at."""
    seen, served = rate(c.ROWS), rate(c.SERVED_ROWS)
    dropped, offered = (f"sum({here(rate(family))})" for family in (c.DROPPED, c.OFFERED))
    yield Panel("timeseries", "Rows seen", "Share of the rows served that were decoded; those that were not are an"
                " estimate. What was dropped uncounted comes off. Below 95 % the scores are about a part.",
                "percentunit",
                [Query(f"sum({seen}) / (sum({served}) > 0) * (1 - {dropped} / ({offered} > 0) or vector(1))", "seen")],
                8, 8, SHARE | {"noValue": "no rows were served"})  # fmt: skip
    by = "side, reason, protocol"
    undecoded = f"topk({_MANY}, sum by ({by}) ({here(f'({rate(c.PAYLOADS_UNDECODED)} > 0)')}))"
    yield Panel("timeseries", "Payloads not decoded", "Per second, by side, reason and protocol. They are relayed, but"
                " not judged; of answers that are errors that is right.", "ops",
                [Query(undecoded, "{{side}}: {{reason}} ({{protocol}})")], 8, 8,
                {"min": 0, "noValue": "no payload that could not be read was seen"})  # fmt: skip
    why = f"sum by (reason) ({here(rate(c.DROPPED))}) > 0"
    yield Panel("timeseries", "Exchanges dropped from the counts", "Per second, by reason. They were relayed, but the"
                " exporter could not look at them: it needs more CPU or a larger ring.", "ops",
                [Query(why, "{{reason}}")], 8, 8,
                {"min": 0, "noValue": "no exchange was dropped"})  # fmt: skip
    cut = f"sum by (side) ({here(rate(c.PAYLOADS_PARTIAL))}) / (sum by (side) ({here(rate(c.PAYLOADS_DECODED))}) > 0)"
    yield Panel("timeseries", "Payloads read in part", "Share of decoded payloads that were longer than"
                " capture.max_body or cut off: only their first rows are counted, which may differ from the last.",
                "percentunit", [Query(cut, "{{side}}")], 12, 7,
                SHARE | {"noValue": "no payload was decoded"})  # fmt: skip
    without = f"sum({rate(c.WITHOUT_ID)}) / (sum({seen}) > 0)"
    yield Panel("timeseries", "Predictions without an id", "Share of the rows whose exchange has no request id: no"
                " truth that comes later can be joined to them. Have clients send one.", "percentunit",
                [Query(without, "without an id")], 12, 7, {"min": 0, "noValue": "no rows were seen"})  # fmt: skip
