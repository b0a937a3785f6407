"""The versions of one model beside each other."""

from collections.abc import Mapping, Sequence

from exporter.status.facts import VersionFacts
from exporter.status.known import known
from exporter.status.view import View
from exporter.status.wording import text


def of(view: View, views: Sequence[View], verdicts: Mapping[tuple[str, str], str]) -> tuple[VersionFacts, ...]:
    """All that are of the same name, this one among them."""
    return tuple(
        VersionFacts(
            version=text(one.scene.version), role=_role(one), deployed=_deployed(one),
            requests=sum(one.scene.snapshot.traffic.codes.values()), verdict=verdicts[one.key],
        ) for one in views if one.scene.model == view.scene.model
    )  # fmt: skip


def _role(one: View) -> str:
    found = one.scene.snapshot.versioned
    return "" if found is None else found.role


def _deployed(one: View) -> float | None:
    aged = one.scene.snapshot.aged
    return None if aged is None else known(aged.deployed_s)
