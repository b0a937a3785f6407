"""What may be shown of payloads."""

import numpy as np
import pytest
from made_profiles import profile_of

from exporter.decode.turned import Turned
from exporter.privacy import Privacy
from exporter.records import Table
from exporter.scalars.private import Private
from exporter.scalars.salted import Salt
from exporter.witness.fields import Fields, Said

SALT = Salt(b"a salt that has no grain of truth")
NAMED = Table(2, ("amount", "ssn", "town"), Turned([(1.5, "078-05", "Oslo"), (2.5, None, "Lima")], 3))
ALL = Said()
BARE = Table(1, None, Turned(np.array([[1.0, 2.0]]), 2))


def rows(said: Said = ALL, private: Private | None = None, table: Table = NAMED) -> list[dict[str, object]]:
    return Fields(said, SALT, private).rows(table, None, "feature", 10)


def test_all_is_shown_where_nothing_is_said() -> None:
    assert rows() == [{"amount": 1.5, "ssn": "078-05", "town": "Oslo"}, {"amount": 2.5, "ssn": None, "town": "Lima"}]


def test_what_is_not_allowed_or_is_denied_is_left_out() -> None:
    assert rows(Said(allow=("amount", "s*"), deny=("ssn",))) == [{"amount": 1.5}, {"amount": 2.5}]
    assert rows(Said(allow=("nothing",))) == []


def test_what_is_hashed_keeps_its_name_here_and_a_null() -> None:
    (first, second) = rows(Said(allow=("ssn",), hash=("ssn",)))
    assert first == {"ssn": f"h_{SALT.name('078-05')}"}
    assert second == {"ssn": None}


def test_what_is_private_everywhere_is_so_here() -> None:
    private = Private(Privacy(deny=("ssn",), hash=("town",)), SALT)
    name = f"h_{SALT.name('town')}"
    assert rows(private=private) == [{"amount": 1.5, name: f"h_{SALT.name('Oslo')}"},
                                     {"amount": 2.5, name: f"h_{SALT.name('Lima')}"}]  # fmt: skip


@pytest.mark.parametrize("said", [Said(allow=("a",)), Said(deny=("a",)), Said(hash=("a",))])
def test_what_has_no_name_is_shown_only_where_everything_is(said: Said) -> None:
    assert rows(table=BARE) == [{"0": 1.0, "1": 2.0}]
    assert rows(said, table=BARE) == []


def test_what_has_no_name_has_that_of_the_profile() -> None:
    profile = profile_of(2)
    first, second = profile.inputs
    found = Fields(Said(deny=(second,)), SALT, None).rows(BARE, profile, "feature", 10)
    assert found == [{first: 1.0}]


def test_an_only_answer_is_judged_by_the_profiles_name_too() -> None:
    profile = profile_of(2)
    (output,) = (one.name for one in profile.outputs)
    told = Table(1, ("whatever",), ((0.5,),))
    assert Fields(Said(deny=(output,)), SALT, None).rows(told, profile, "output", 10) == []
    assert Fields(Said(), SALT, None).rows(told, profile, "output", 10) == [{"whatever": 0.5}]


def test_no_more_rows_are_shown_than_are_asked_for() -> None:
    assert len(Fields(Said(), SALT, None).rows(NAMED, None, "feature", 1)) == 1


def test_an_only_answer_that_the_profile_has_hashed_is_hashed_whatever_the_server_calls_it() -> None:
    profile = profile_of(2)
    (output,) = (one.name for one in profile.outputs)
    told = Table(1, ("whatever",), (("yes",),))
    found = Fields(Said(hash=(output,)), SALT, None).rows(told, profile, "output", 10)
    assert found == [{"whatever": f"h_{SALT.name('yes')}"}]


def test_a_column_is_judged_by_the_field_that_it_is_of() -> None:
    profile = profile_of(2)
    fields = Fields(Said(deny=("f0",)), SALT, None)
    assert not fields.shows_column(profile, "f0")
    assert fields.shows_column(profile, "f1")
    assert fields.shows_column(None, "f0") is True, "without a profile there are no columns"
