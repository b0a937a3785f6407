"""What one call does in Redis: compared with what it was decided by, and done, or not, at once. No I/O, no clock.

Everything lies under one prefix:

    s<key>      a slot (see `packing`), by the eight bytes of its key
    l:p:<pane>  keys of predictions by when they were answered; l:e:<pane> of early truths by when they came
    t:p, t:e    the panes there are, sorted by their ends
    c           how many predictions are open (<pane>:o) and joined (<pane>:j), and truths early (<pane>:e)
    j:<replica> a stream of keys by `Joined.number`;  n:<replica> the last number
    o           owners by their marks
    x           changes with whatever leaves;  a:<token> an answer, see `doubts`

All of it leaves by itself some time after nobody has written to it any more.
"""

from collections import Counter, defaultdict
from typing import Final

from exporter.feedback.doubts import ANSWERS_KEPT_S
from exporter.feedback.stores import Limits

Word = bytes | str | int

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_PANES: Final = 64
_AT_ONCE: Final = 1000
"""Words of one command: Lua has no room for very many."""

SCRIPT: Final = """
local answered = redis.call('GET', KEYS[1])
if answered then return answered end
local at = 4
local function command()
  local from, to = at + 1, at + tonumber(ARGV[at])
  at = to + 1
  return redis.call(unpack(ARGV, from, to))
end
for _ = 1, tonumber(ARGV[3]) do
  if tostring(command() or '') ~= ARGV[at] then return false end
  at = at + 1
end
while at <= #ARGV do command() end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[1])
return ARGV[2]
"""
"""KEYS: of the answer. ARGV: how long it is kept in ms, the answer, how many comparisons; these, a command and what it
must say each; then commands. A command is the number of its words, and they. Nothing but the answer, if it is known;
false where a comparison fails.

What has room made for it comes first: Redis without memory refuses it before anything has been written.
"""


class Names:
    """What things are called."""

    def __init__(self, prefix: str, limits: Limits) -> None:
        self._prefix = prefix.encode()
        self._limits = limits
        self.owners, self.counts, self.leaving = self.of("o"), self.of("c"), self.of("x")

    def of(self, name: str) -> bytes:
        """Something by its name."""
        return self._prefix + name.encode()

    def answer(self, token: str) -> bytes:
        """Of a call."""
        return self.of(f"a:{token}")

    def slot(self, key: int) -> bytes:
        """Of a key."""
        return self._prefix + b"s" + word_of(key)

    def pane(self, kind: str, at_ms: int) -> str:
        """When predictions (p) are answered at one time, or early truths (e) come: its first ms and how many."""
        span = self._limits.retention_ms if kind == "p" else self._limits.early_ms
        width = max(1, span // _PANES)
        return f"{at_ms - at_ms % width}+{width}"


def end_of(pane: str) -> int:
    """The first ms behind it."""
    start, _, width = pane.partition("+")
    return int(start) + int(width)


def is_in(pane: str, at_ms: int) -> bool:
    """Whether a time lies within a pane."""
    return int(pane.partition("+")[0]) <= at_ms < end_of(pane)


def word_of(key: int) -> bytes:
    """A key in lists and names."""
    return key.to_bytes(8, "big", signed=True)


def key_of(word: bytes) -> int:
    """As it was."""
    return int.from_bytes(word, "big", signed=True)


class Change:
    """What one call is to do."""

    def __init__(self, names: Names, limits: Limits) -> None:
        self._names = names
        self._limits = limits
        self._checks: list[Word] = []
        self._checked = 0
        self._commands: list[Word] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._refs: defaultdict[tuple[str, str], list[bytes]] = defaultdict(list)
        self.answer = ""

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not (self._commands or self._counts or self._refs)

    def check(self, says: Word, *command: Word) -> None:
        """Only where a command says so; a number of few digits, or bytes, empty for nothing."""
        self._checks += (len(command), *command, says)
        self._checked += 1

    def do(self, *command: Word) -> None:
        """Then this, too."""
        self._commands += (len(command), *command)

    def put(self, key: int, record: bytes, before: bytes | None, is_early: bool) -> None:
        """A slot, empty if nothing is left of it."""
        name = self._names.slot(key)
        if not record:
            self.do("DEL", name)
        elif before is None or before[:1] == b"e":
            span = self._limits.early_ms if is_early else self._limits.retention_ms
            self.do("SET", name, record, "PX", span + _HOUR_MS)
        else:
            self.do("SET", name, record, "KEEPTTL")

    def count(self, pane: str, state: str, by: int) -> None:
        """More, or fewer, of a state (o, j, e) in a pane."""
        if by:
            self._counts[pane, state] += by

    def refer(self, kind: str, pane: str, key: int) -> None:
        """A key in the list of a pane."""
        self._refs[kind, pane].append(word_of(key))

    def words(self, heard: str) -> list[Word]:
        """For the script. `heard` is the token of an answer that need not be kept."""
        self._settle()
        if heard:
            self.do("DEL", self._names.answer(heard))
        return [ANSWERS_KEPT_S * 1000, self.answer, self._checked, *self._checks, *self._commands]

    def keep(self, *names: bytes) -> None:
        """For longer than what is written now."""
        for name in names:
            self.do("PEXPIRE", name, self.lasts_ms)

    @property
    def lasts_ms(self) -> int:
        """How long what is beside slots is kept after it was written."""
        return self._limits.retention_ms + self._limits.early_ms + _DAY_MS

    def _settle(self) -> None:
        """Lists and counts, once for each pane."""
        for (kind, pane), refs in self._refs.items():
            listed = self._names.of(f"l:{kind}:{pane}")
            for first in range(0, len(refs), _AT_ONCE):
                self.do("RPUSH", listed, *refs[first : first + _AT_ONCE])
            self.keep(listed)
        for (pane, state), by in self._counts.items():
            self.do("HINCRBY", self._names.counts, f"{pane}:{state}", by)
        panes = {("e" if state == "e" else "p", pane) for pane, state in self._counts}
        for kind, pane in panes:
            self.do("ZADD", self._names.of(f"t:{kind}"), end_of(pane), pane)
        if panes:
            self.keep(self._names.counts, self._names.owners, *(self._names.of(f"t:{kind}") for kind, _ in panes))
