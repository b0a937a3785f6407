"""A profile as a page for people."""

from collections.abc import Iterator
from datetime import UTC, datetime

from exporter.reference import Column, Profile

_BAR = 24


def summary(profile: Profile) -> str:
    """What was inferred, a line per column."""
    width = max(len(column.name) for column in (*profile.features, *profile.outputs))
    lines = [f"{profile.model} {profile.version}: {profile.rows:,} rows of {profile.source}"]
    if profile.digest:
        lines[0] += f", profile {profile.short_digest}"
    if profile.trained_at is not None:
        lines.append(f"trained at {datetime.fromtimestamp(profile.trained_at, UTC).isoformat()}")
    for title, columns in (("feature", profile.features), ("output", profile.outputs)):
        lines += [f"  {title:8}{column.name:{width}}  {column.kind:12}{_brief(column)}" for column in columns]
    return printable("\n".join(lines))


def printable(text: str) -> str:
    """Text without what a terminal would obey."""
    # Names come from files of strangers: no escape sequence may reach a terminal.
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)


def _brief(column: Column) -> str:
    missing = column.counts[14] if column.ordered else column.counts[-1]
    gap = f", {missing / column.rows:.1%} missing" if missing else ""
    if column.ordered:
        what = "length " if column.kind == "text" else ""
        return f"{what}{column.minimum:.6g} to {column.maximum:.6g}, mean {column.mean:.6g}, sd {column.sd:.4g}{gap}"
    shown = ", ".join(column.categories[:5]) + (", …" if len(column.categories) > 5 else "")
    more = f" and {len(column.others)} rarer ones" if column.others else ""
    return f"{len(column.categories)} categories{more}: {shown}{gap}"


def page(profile: Profile) -> str:
    """The summary and every column's bins with their shares."""
    columns = (*profile.features, *profile.outputs)
    tables = ["\n".join((f"{column.name} ({column.kind})", *_bars(column))) for column in columns]
    return printable("\n\n".join((summary(profile), *tables)))


def _bars(column: Column) -> Iterator[str]:
    bins = [(place, text) for place, text in column.bins() if column.counts[place] or not column.ordered]
    width = min(max((len(text) for _, text in bins), default=0), 40)
    highest = max(column.counts)
    for place, text in bins:
        count = column.counts[place]
        bar = "█" * round(_BAR * count / highest)
        yield f"  {place:02d} {text[:40]:{width}} {count / column.rows:7.2%} {count:>12,} {bar}".rstrip()
