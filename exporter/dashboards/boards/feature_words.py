"""One feature in words: whether it moved, what happened to it, since when, and whether to care."""

from collections.abc import Iterator
from typing import Final

from exporter import catalogue as c
from exporter.dashboards import links
from exporter.dashboards.looks import BLANK, GREEN, GREY, NOT_ENOUGH, ORANGE, RED, by_name, states, steps
from exporter.dashboards.pieces import Json, Panel, Query
from exporter.dashboards.queries import WINDOW, of
from exporter.dashboards.queries import words as inside
from exporter.families import FLEET, PROFILED
from exporter.snapshots import IMPACT

_CHOSEN: Final = {"feature": "$feature"}
_SAME: Final = f"on ({', '.join((*FLEET, 'instance', *PROFILED, 'feature'))})"
"""On the same exporter: two clusters may call theirs alike."""
_KNOWN: Final = steps((None, GREY), (0, "text"))
_TIMES: Final = steps((None, GREY), (0, GREEN), (1, ORANGE), (5, RED))
_WAYS: Final = [{"type": "value", "options": {
    "up": {"text": "values went up"}, "down": {"text": "values went down"}, "wider": {"text": "became wider"},
    "narrower": {"text": "became narrower"}, "grew": {"text": "one range grew"},
    "changed": {"text": "changed otherwise"}}}]  # fmt: skip
_NAMED: Final = {"colorMode": "none", "textMode": "name", "justifyMode": "center", "text": {"titleSize": 16}}


def words() -> Iterator[Panel]:
    """The answer before the numbers."""
    yield from (_verdict(), _happened(), _since(), _beyond())
    yield from _numbers()
    yield from (_moved(), _said(), _next())


def _state() -> str:
    """0: within chance, 1: beyond it, 2: beyond what is tolerated, too; on the worst replica that can be judged."""
    f = c.FEATURES
    scored = {name: (of(f.statistics[name], **_CHOSEN, **WINDOW), of(f.critical[name], **_CHOSEN, **WINDOW))
              for name in ("psi", "total_variation")}  # fmt: skip
    chance = " * ".join(f"({score} > bool {critical})" for score, critical in scored.values())
    moved = scored["total_variation"][0]
    tolerated = f"{moved} > bool ignoring (window) group_left () {of(f.tolerance, **_CHOSEN)}"
    judged = f"{of(f.sufficient, **_CHOSEN, **WINDOW)} == 1"
    return f"max({chance} * (1 + ({tolerated} or {moved} > bool 0.1)) and {judged})"


def _verdict() -> Panel:
    named = states((0, "Steady", GREEN), (1, "Moved a little", ORANGE), (2, "Drifted", RED))
    text = ("Steady: no replica is beyond chance. Moved a little: beyond chance by PSI and total variation, and within"
            " what is tolerated (a tenth of the values, where the overrides say nothing). Drifted: more than that moved"
            " on a replica at least; look at the bins below, and where.")  # fmt: skip
    return Panel("stat", "Has $feature moved?", text, "none", [Query(_state())], 5, 4,
                 steps((None, GREY), (0, GREEN), (1, ORANGE), (2, RED)) | named)  # fmt: skip


def _happened() -> Panel:
    diagnosis = of(c.FEATURES.aspects["diagnosis_info"], **_CHOSEN)
    told = [
        f"topk(1, count by (text) ({diagnosis}))",
        _said_of(f"({_state()} > 0)", "It moved, and no one explanation fits: see how, and the bins"),
        _said_of(f"({_state()} == 0)", "Nothing: it has not moved beyond chance"),
        _said_of("vector(0)", NOT_ENOUGH),
    ]
    return Panel("stat", "What seems to have happened", "The sentence of most replicas, by a closer look at rows that"
                 " came since the drift was seen. Where no one explanation fits it says so; then look at the bins and"
                 " at how it moved.", "string", [Query(" or on () ".join(told), "{{text}}", instant=True)],
                 11, 4, _KNOWN, _NAMED)  # fmt: skip


def _said_of(expr: str, text: str) -> str:
    return f'label_replace({expr}, "text", "{text}", "", "")'


def _since() -> Panel:
    onset = of(c.FEATURES.evidence["drift_onset_timestamp_seconds"], **_CHOSEN)
    return Panel("stat", "Drifts since", "When the drift began on the first replica that has evidence of it. Compare"
                 " with the marks of deploys and profiles in the graphs below.", "dateTimeFromNow",
                 [Query(f"min({onset}) * 1000")], 4, 4, _KNOWN | {"noValue": "no onset named"},
                 {"colorMode": "none"})  # fmt: skip


def _beyond() -> Panel:
    f = c.FEATURES
    judged = f"{of(f.sufficient, **_CHOSEN, **WINDOW)} == 1"
    psi, critical = of(f.statistics["psi"], **_CHOSEN, **WINDOW), of(f.critical["psi"], **_CHOSEN, **WINDOW)
    return Panel("stat", "Replicas beyond chance", "How many replicas have a PSI beyond its critical value, of those"
                 " whose window holds enough values. One of many: that replica, or who asks it, is odd; all of them:"
                 " the data are.", "short",
                 [Query(f"count({psi} > {critical} and {judged}) or 0 * count({judged})", "beyond"),
                  Query(f"count({judged})", "judged")], 4, 4, _KNOWN,
                 {"colorMode": "none", "textMode": "value_and_name"})  # fmt: skip


def _numbers() -> Iterator[Panel]:
    f = c.FEATURES
    enough = f"{of(f.sufficient, **_CHOSEN, **WINDOW)} == 1"
    moved, psi, critical, impact = (
        of(family, **_CHOSEN, **WINDOW)
        for family in (f.statistics["total_variation"], f.statistics["psi"], f.critical["psi"], f.statistics[IMPACT])
    )
    plain: Json = {"colorMode": "none"}
    yield Panel("stat", "PSI, times critical", "The worst replica's score over what chance reaches once in 1000 windows"
                " of that size. Above 1 it is no chance; how much moved says whether it matters.", "none",
                [Query(f"max({psi} / ({critical} > 0) and {enough})")], 4, 3, _TIMES | {"decimals": 1})  # fmt: skip
    yield Panel("stat", "Values moved", "Share of the values that are in other bins than those of the training data,"
                " on the worst replica whose window holds enough. A tenth is worth a look, unless tolerated.",
                "percentunit", [Query(f"max({moved} and {enough})")], 4, 3, _KNOWN | {"decimals": 1},
                plain)  # fmt: skip
    yield Panel("stat", "Importance", "Share of all features' importance for the model, as the profile has it. A small"
                " one may wait.", "percentunit", [Query(f"max({of(f.known['importance'], **_CHOSEN)})")], 4, 3,
                _KNOWN | {"noValue": "not in the profile", "decimals": 1}, plain)  # fmt: skip
    yield Panel("stat", "Impact", "Importance times what has moved beyond chance, on the worst replica. Of several"
                " drifting features begin with the largest.", "percentunit", [Query(f"max({impact})")], 4, 3,
                _KNOWN | {"noValue": "no importance known", "decimals": 1}, plain)  # fmt: skip
    yield Panel("stat", "Fewest values", "In the window, of all replicas, missing ones included. The fewer, the more"
                " must move before it shows; choose a longer window where it is not enough.", "short",
                [Query(f"min({of(f.samples, **_CHOSEN, **WINDOW)})")], 4, 3, _KNOWN, plain)  # fmt: skip
    yield Panel("stat", "With enough values", "Share of the replicas whose window holds enough values to be"
                " judged; the others are left out of the verdict.", "percentunit",
                [Query(f"avg({of(f.sufficient, **_CHOSEN, **WINDOW)})")], 4, 3,
                steps((None, GREY), (0.5, ORANGE), (1, GREEN)))  # fmt: skip


def _moved() -> Panel:
    f = c.FEATURES
    onset = of(f.evidence["drift_onset_timestamp_seconds"], **_CHOSEN)
    told, by = of(f.evidence["drift_info"], **_CHOSEN), "kind, bin, shape"
    since = f"min by ({by}) ({told} * {_SAME} group_left () {onset})"
    named = (f"count by ({by}, text) ({told} * {inside(f, **_CHOSEN)})"
             f" or on ({by}) count by ({by}) ({told})")  # fmt: skip
    hidden = {"Time": True, "bin": True}
    order = {"kind": 0, "text": 1, "shape": 2, "Value #A": 3, "Value #B": 4}
    renamed = {"kind": "how", "text": "range or category", "shape": "pace", "Value #A": "replicas", "Value #B": "since"}
    return Panel("table", "How it moved", "By the bet that has won most, once evidence pages: values went up or down,"
                 " became wider or narrower, one range grew, or changed otherwise; at once or little by little.",
                 "none",
                 [Query(named), Query(f"({since}) * 1000")], 12, 4,
                 {"noValue": "evidence names no drift of it"},
                 overrides=[BLANK, by_name("since", unit="dateTimeAsIso"), by_name("replicas", custom_width=80),
                            by_name("how", mappings=_WAYS)],
                 transformations=[{"id": "merge", "options": {}}, {"id": "organize", "options": {
                     "excludeByName": hidden, "indexByName": order, "renameByName": renamed}}])  # fmt: skip


def _said() -> Panel:
    f = c.FEATURES
    by = "owner, severity"
    info = of(f.override_info, **_CHOSEN)
    columns: list[tuple[str, str]] = [(f"max by ({by}) ({info})", "said")]
    for family, legend, factor in ((f.tolerance, "tolerates", ""), (f.weight, "weight", ""),
                                   (f.snoozed_until, "snoozed until", " * 1000"),
                                   (f.adopted, "adopted", " * 1000"),
                                   (f.adoption_expiry, "adoption ends", " * 1000")):  # fmt: skip
        columns.append((f"max by ({by}) ({info} * {_SAME} group_left () {of(family, **_CHOSEN)}){factor}", legend))
    times = [by_name(name, unit="dateTimeFromNow") for name in ("snoozed until", "adopted", "adoption ends")]
    names = {f"Value #{chr(65 + place)}": name for place, (_, name) in enumerate(columns)}
    order = {"owner": 0, "severity": 1}
    return Panel("table", "What people say of it", "From the overrides: whose it is, the most that may come of it, how"
                 " much may move, until when nothing comes of it, and since when live values are its normal. Drift that"
                 " pages nobody may be snoozed here.", "none", [Query(*one) for one in columns], 12, 4,
                 {"noValue": "no override: drift of it makes a ticket, and evidence pages"},
                 overrides=[BLANK, by_name("tolerates", unit="percentunit"), *times],
                 transformations=[{"id": "merge", "options": {}}, {"id": "organize", "options": {
                     "excludeByName": {"Time": True, "Value #A": True}, "indexByName": order,
                     "renameByName": names | {"severity": "at most"}}}])  # fmt: skip


def _next() -> Panel:
    ways = [
        links.to(links.QUALITY, "Are values missing, stuck or wrong? Data quality"),
        links.to(links.FLEET, "One replica or version alone? Fleet and versions"),
        links.to(links.PREDICTIONS, "Did the answers move, too? Predictions and performance"),
        links.to(links.HEALTH, "Everything else: Model health at a glance"),
        {"title": "What to do: runbook", "url": f"{links.RUNBOOKS}#modelfeaturedrift"},
    ]
    content = "**Next:** " + " · ".join(f"[{one['title']}]({one['url']})" for one in ways)
    return Panel("text", "Where to look next", "Ways to the other dashboards, with what is chosen.", "none", [], 24, 3,
                 options={"content": content, "mode": "markdown"})  # fmt: skip
