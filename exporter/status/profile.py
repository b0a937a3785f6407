"""The reference that live traffic is compared with."""

from exporter.reference import Profile
from exporter.status.facts import ProfileFacts
from exporter.status.wording import text


def of(profile: Profile | None) -> ProfileFacts | None:
    """None where there is none."""
    if profile is None:
        return None
    return ProfileFacts(
        digest=profile.short_digest, model=text(profile.model), version=text(profile.version), rows=profile.rows,
        features=len(profile.features), outputs=len(profile.outputs), trained=profile.trained_at,
        provisional=profile.provisional, source=text(profile.source),
    )  # fmt: skip
