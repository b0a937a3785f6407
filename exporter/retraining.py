"""Section of the settings about asking for a retraining: where an event goes, what it takes, and how often.

As in `config`, which puts it in its place. The standard library only: every process reads settings.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from exporter.addresses import receiver
from exporter.keys import setting
from exporter.values import duration, header_name, integer, names, number, path, pause, some_of, switch

DRIFT, SLOW_DRIFT, CONCEPT, PERFORMANCE, ESTIMATED = KINDS = (
    "drift", "slow_drift", "concept_drift", "performance", "estimated_performance",
)  # fmt: skip
"""What may be found of a model that is a reason to train it again."""
RETRAIN, REWORK, FIX = ADVICE = ("retrain", "rework", "fix_the_pipeline")
"""What an event may advise."""
ALERTS: Final = (
    "ModelDrift", "ModelDriftSlow", "ModelStale", "ModelFleetDrift", "ModelFleetDriftSlow",
    "ModelConceptDrift", "ModelPerformanceBelowTraining",
)  # fmt: skip
_DAY_S = 86400.0
_MOST_HEADERS = 8
_NOT_OURS = frozenset(("host", "connection", "content-length", "content-type", "transfer-encoding"))


def header_files(value: object) -> tuple[tuple[str, str], ...]:
    """Headers and the files that hold their values, from a mapping or its JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else {}
        except (ValueError, RecursionError):
            value = None
    if isinstance(value, list | tuple) and all(_is_pair(one) for one in value):
        value = dict(value)  # as it travels to child processes
    if not isinstance(value, Mapping) or len(value) > _MOST_HEADERS:
        raise ValueError(
            f"must be a mapping of {_MOST_HEADERS} headers at most to files such as {{X-Api-Key: /run/key}}"
        )
    found = tuple((header_name(name), path(file)) for name, file in value.items())
    if any(name in _NOT_OURS or name.startswith("webhook-") for name, _ in found):
        raise ValueError("must not have headers that say what is sent, how it is signed, or where it goes")
    return found


def _is_pair(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str)


@dataclass(frozen=True, slots=True)
class Retrain:
    """When somebody is asked to train a model again, and who."""

    url: str | None = setting(
        None,
        "Where a CloudEvent is posted that asks for a retraining: http://HOST/PATH or https://HOST/PATH; nobody is"
        " asked where left out.",
        receiver,
    )
    dry_run: bool = setting(
        False, "Whether events are only logged and counted, and none is sent; it needs no url.", switch, "false"
    )
    bearer_token_file: str | None = setting(
        None, "File of a token that is sent as `Authorization: Bearer`; it is read again for each post.", path
    )
    header_files: tuple[tuple[str, str], ...] = setting(
        (),
        "Further headers, a mapping of their names to the files that hold their values. It is JSON outside of this"
        " file.",
        header_files,
        "{}",
    )
    secret_file: str | None = setting(
        None,
        "File of the secrets that events are signed with (Standard Webhooks, HMAC-SHA256): one a line, whsec_ and"
        " base64; with several each signs, so that they can be changed one after the other.",
        path,
    )
    ca_file: str | None = setting(
        None, "Certificates (PEM) that vouch for the receiver; those of the system where left out.", path
    )
    timeout: float = setting(10.0, "How long the receiver may take to answer.", duration, "10s")
    attempts: int = setting(12, "How often an event is posted, all in all, before it is given up.", integer(1, 1000))
    backoff: float = setting(
        10.0, "How long is waited after the first failure, give or take a half; twice as long after each more.",
        duration, "10s",
    )  # fmt: skip
    max_backoff: float = setting(
        3600.0, "And at most; a receiver that says Retry-After is given that, but no more.", duration, "1h"
    )
    give_up: float = setting(86400.0, "How old an event may become before it is given up.", duration, "1d")
    reasons: tuple[str, ...] = setting(
        (DRIFT, CONCEPT, PERFORMANCE),
        f"What is a reason: {', '.join(KINDS)}. See docs/retraining.md.",
        some_of(*KINDS),
        f"[{DRIFT}, {CONCEPT}, {PERFORMANCE}]",
    )
    advice: tuple[str, ...] = setting(
        (RETRAIN, REWORK),
        f"Of what advice events are sent: {', '.join(ADVICE)}.",
        some_of(*ADVICE),
        f"[{RETRAIN}, {REWORK}]",
    )
    hold: float = setting(
        3600.0, "How long a finding must have held, all in all, since its episode began.", pause, "1h"
    )
    reset: float = setting(
        _DAY_S, "How long everything must be well before an episode is over and another one may begin.", pause, "1d"
    )
    cool_down: float = setting(
        7 * _DAY_S, "How long after an event there is none of the same model, whatever its version.", duration, "7d"
    )
    minimum_evidence: float = setting(
        1.0, "How many times the threshold evidence of drift must reach that the alerts page at.", number(1.0, 100.0)
    )
    minimum_rows: int = setting(1000, "Fewest rows of a model that were seen, for any finding.", integer(1, 10**12))
    minimum_truths: int = setting(
        200, "Fewest truths of a model that were joined, for a finding that is of truths.", integer(1, 10**12)
    )
    fall: float = setting(
        0.02,
        "By how many points the whole interval of a measure must lie below what it was in training.",
        number(0.001, 1.0),
    )
    rise: float = setting(0.1, "And of a loss above that, as a share of it.", number(0.001, 100.0))
    window: float = setting(
        _DAY_S, "In which window measures are looked at: of performance.windows the nearest.", duration, "24h"
    )
    alerts: bool = setting(
        False, "Whether POST /alerts on the web address takes what Alertmanager's webhook says.", switch, "false"
    )
    alerts_on: tuple[str, ...] = setting(
        ALERTS, "Names of the alerts that are a reason; others are answered and passed over.", names
    )
    token_file: str | None = setting(
        None,
        "File of a bearer token that a POST of alerts must show; it counts there instead of a password, and is read"
        " again when it changes.",
        path,
    )

    def __post_init__(self) -> None:
        if self.alerts and not self.enable:
            raise ValueError("alerts: nobody is asked, say url or dry_run")
        if self.max_backoff < self.backoff:
            raise ValueError("max_backoff: must not be shorter than backoff")

    @property
    def enable(self) -> bool:
        """Whether anybody is asked, or would be."""
        return self.url is not None or self.dry_run
