"""Numbers and shares in sentences that stay the same while what they say does."""


def shown(number: float) -> str:
    """Three digits that count: 100, 0.305, 1.61."""
    return f"{number:.3g}" if abs(number) < 1000 else f"{float(f'{number:.3g}'):,.0f}".replace(",", "")


def about(number: float) -> str:
    """Two digits that count."""
    return shown(float(f"{number:.2g}"))


def percent(share: float) -> str:
    """A share as people say it: in steps of five, of one where there is less than that."""
    whole = 100 * share
    return f"{max(1, round(whole))} %" if whole < 7.5 else f"{min(100, 5 * round(whole / 5))} %"


def quoted(text: str) -> str:
    """A category's name on one line, not too long; what cannot be seen or turns the line round is replaced."""
    found = "".join(one if one.isprintable() else "�" for one in text[:41])
    return f"'{found}'" if len(found) <= 40 else f"'{found[:39]}…'"
