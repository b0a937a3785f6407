"""Signs of feedback loops as a page shows them, each number another one: for tests of what is shown."""

from collections.abc import Sequence

from exporter.looped import Covered, Gap, Group, Looped, Returned, Selected

KINDS = ("0 to 0.1", "0.1 to 0.2", "0.9 to 1")


def with_truth(found: Looped, windows: Sequence[str]) -> Looped:
    """With what there is to say once the truth is known, there is a holdout, and enough panes have gone by."""
    return found._replace(
        returned=Returned(0.31, 0.25, "score", "amount", 285, 300.0),
        covered=[
            Covered(kind, window, 100 + 10 * at + place, 20 * at + place)
            for at, kind in enumerate(KINDS) for place, window in enumerate(windows)
        ],
        selected=[Selected(window, True, 0.2 + place / 100, 0.1 + place / 100) for place, window in enumerate(windows)],
        gaps=[
            Gap(window, (Group("exposed", 900 + place, 0.3), Group("holdout", 100 + place, 0.2)), 0.1, 0.01, 0.18, True)
            for place, window in enumerate(windows)
        ],
    )  # fmt: skip
