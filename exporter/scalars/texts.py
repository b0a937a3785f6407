"""Numbers of a text. Each of them is finite for any text, and 0 for an empty one."""


def length(text: str) -> float:
    """Characters."""
    return float(len(text))


def tokens(text: str) -> float:
    """What stands between white space."""
    return float(len(text.split()))


def token_length(text: str) -> float:
    """Characters of a token, on average."""
    found = text.split()
    return sum(map(len, found)) / len(found) if found else 0.0


def non_ascii(text: str) -> float:
    """Share of the characters that ASCII does not have, 0 to 1."""
    if text.isascii():
        return 0.0
    return sum(character > "\x7f" for character in text) / len(text)
