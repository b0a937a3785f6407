"""A store of profiles by model: what was kept is there at once, however slow the store is about others."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from monitor_scenes import make_profile
from places.sites import Page, Site, silent, site
from support import eventually

from exporter import locations
from exporter.places import asking
from exporter.places.by_model import Store
from exporter.profile import document
from exporter.profile.directory import Wish


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with site(tmp_path / "tls") as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        yield running


def test_what_was_kept_is_in_force_at_once_and_the_store_is_asked_later(store: Site, tmp_path: Path) -> None:
    profile = make_profile(tmp_path)
    template = locations.parse(store.url("/{model}/{version}.json"))
    store.pages["/slow/1.json"] = Page(behave=silent)
    copies = tmp_path / "copies"
    copy = asking.copy_of(template.of("churn", "7").text, copies)
    assert copy is not None
    copies.mkdir()
    copy.write_bytes((tmp_path / "profile.json").read_bytes())
    places = Store(template, 0.2, copies)
    assert places.look(Wish("slow", "1"), None) is None
    eventually(lambda: store.count("/slow/1.json"), what="a store that hangs")
    kept = places.look(Wish("churn", "7"), None)
    assert kept is not None
    assert kept.profile is not None
    assert kept.profile.digest == profile.digest


def test_a_profile_that_nobody_has_taken_yet_is_not_lost_to_a_fault_after_it(store: Site, tmp_path: Path) -> None:
    make_profile(tmp_path)
    written = json.loads((tmp_path / "profile.json").read_text())
    template = locations.parse(store.url("/{model}/{version}.json"))
    store.put("/churn/7.json", json.dumps(written | {"rows": 5}).encode())
    places, wish = Store(template, 0.1, None), Wish("churn", "7")
    assert places.look(wish, None) is None
    eventually(lambda: wish in places._news, what="the profile")
    store.pages["/churn/7.json"] = Page(503)
    asked = store.count("/churn/7.json")
    eventually(lambda: store.count("/churn/7.json") > asked + 2, what="faults")
    found = places.look(wish, None)
    assert found is not None
    assert found.profile is not None
    assert (found.profile.rows, found.fault) == (5, "")
    faulty = eventually(lambda: (now := places.look(wish, found)) is not found and now, what="the fault")
    assert (faulty.profile, "the server answered 503" in faulty.fault) == (None, True)
    assert document.digest(found.profile) == found.profile.digest
