"""What columns are called where their names are nobody's business: nothing, or `h_` and a hash under a secret salt.

Who knows the salt can tell which column a hash is of: it is HMAC-SHA256 of the name, as that of a category is. All who
have the same salt call a column the same.
"""

import re
from typing import Final

from exporter.privacy import Patterns, Privacy, split
from exporter.scalars.salted import Salt
from exporter.segmentations import Segmentation

DENIED: Final = "\0denied"
"""What stands in the place of a name that is denied; no column is called so."""
PREFIX: Final = "h_"
_HASHED: Final = re.compile(rf"{PREFIX}[0-9a-f]{{16}}(?:[.\[].*)?", re.DOTALL)


class Private:
    """What settings say of names."""

    def __init__(self, said: Privacy, salt: Salt | None) -> None:
        """Without a salt nothing is hashed, but for what is denied all is called as it is."""
        self.salt = salt
        self._denied = Patterns(said.deny)
        self._hidden = Patterns(said.hash if salt else ())

    def denies(self, name: str) -> bool:
        """Whether it must not be looked at."""
        return name.startswith(DENIED) or self._denied.fit(name)

    def hashes(self, name: str) -> bool:
        """Whether its name is hashed, or it is a hash already: what is of a column like that is hashed, too."""
        return self.salt is not None and bool(self._hidden.fit(name) or _HASHED.fullmatch(name))

    def hashes_values(self, said: Segmentation) -> bool:
        """Whether the values by which traffic is divided so are hashed."""
        return self.salt is not None and (self._hidden.fit_any(said) or any(map(self.hashes, said[:2])))

    def name(self, name: str) -> str:
        """What it is called here; DENIED where it must not be looked at. What is hashed stays as it is."""
        if self.denies(name):
            return DENIED
        if self.salt is None or _HASHED.fullmatch(name) or not self._hidden.fit(name):
            return name
        whole, element = split(name) if self._hidden.fit_whole(name) else (name, "")
        return f"{PREFIX}{self.salt.name(whole)}{element}"

    def segmentation(self, said: Segmentation) -> Segmentation:
        """A way to divide traffic, as it is called here. What people call it otherwise than its field stays so."""
        field, name = said.field and self.name(said.field), self.name(said.name)
        if self.salt and said.name in {said.field, said.header} and self.hashes_values(said):
            name = field or f"{PREFIX}{self.salt.name(said.name)}"
        return said._replace(name=name, field=field)
