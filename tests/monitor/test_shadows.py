"""Copies of requests, whose answers nobody gets, are watched beside what is served and never counted with it."""

import dataclasses
from typing import Any

import pytest
from monitor_scenes import answers, exchange, live_rows, make_profile

from exporter import catalogue, config, retrain
from exporter.collect import Renderer
from exporter.collect.rendered import TEXT
from exporter.collect.scene import Page, Scene
from exporter.condition import Health, ServerVitals
from exporter.decode import Decoder, rules
from exporter.handoff import report
from exporter.monitor.late import Late
from exporter.monitor.models import Models
from exporter.profile.directory import OneProfile
from exporter.records import Label, Owner
from exporter.reference import Profile


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    found = make_profile(tmp_path_factory.mktemp("profile"))
    return dataclasses.replace(found, model="churn", version="7")


class Watch:
    """Models whose copies have a header."""

    def __init__(self, profile: Profile | None, **given: Any) -> None:
        named = {key.replace("__", "."): value for key, value in given.items()}
        settings = config.resolve(("test", {"versions.shadow_header": "X-Shadow=true", **named}))
        self.decoder = Decoder(rules.of(settings))
        self.models = Models(settings, OneProfile(profile, None))

    def see(self, rows: int = 3, *, shadow: str = "", version: str = "", status: int = 200) -> None:
        batch = live_rows(rows, 1)
        headers = {"x-shadow": shadow} if shadow else {}
        path = f"/v1/models/churn/versions/{version}:predict" if version else "/v1/models/churn:predict"
        seen = exchange(batch, answers(batch, 1), 1.0, path=path, status=status,
                        request_headers={**headers, "x-request-id": "r1"})  # fmt: skip
        self.models.observe(seen, self.decoder.decode(seen))

    def rows(self) -> dict[str, int]:
        return {one.label.version: one.snapshot.rows.observed for one in self.models.shown(1.0) if one.visible}

    def page(self) -> str:
        health = Health(0.0, 0, report.relay([], 0, 0))
        scenes = tuple(
            Scene(*one.label, one.profile, one.snapshot, ServerVitals(), health, one.visible)
            for one in self.models.shown(1.0) if one.label.model != "_other"
        )  # fmt: skip
        return b"".join(Renderer().render(Page(scenes, health)).pieces(TEXT)).decode()


def lines(page: str, version: str) -> set[str]:
    """Names of the families of which a version has series."""
    return {line.partition("{")[0] for line in page.splitlines() if f'model_version="{version}"' in line}


def test_copies_are_watched_under_a_version_of_their_own_with_the_profile_of_what_they_stand_beside(
    profile: Profile,
) -> None:
    watch = Watch(profile)
    watch.see()
    watch.see(shadow="true")
    watch.see(shadow="false")
    watch.see(shadow="TRUE", version="8")
    assert watch.rows() == {"7": 6, "7-shadow": 3, "8-shadow": 3}
    shown = {one.label.version: one for one in watch.models.shown(1.0) if one.visible}
    assert shown["7-shadow"].profile is profile
    roles = {version: one.snapshot.versioned.role for version, one in shown.items() if one.snapshot.versioned}
    assert roles == {"7": "stable", "7-shadow": "shadow", "8-shadow": "shadow"}


def test_nothing_that_counts_as_served_is_shown_of_a_shadow(profile: Profile) -> None:
    watch = Watch(profile)
    watch.see()
    watch.see(shadow="true")
    watch.see(shadow="true", status=500)
    page = watch.page()
    served, shadow = lines(page, "7"), lines(page, "7-shadow")
    for family in (
        catalogue.REQUESTS, catalogue.ROWS, catalogue.SERVED_ROWS, catalogue.FAILED_ROWS, catalogue.LAST_REQUEST,
        catalogue.FEATURES.bins, catalogue.FEATURES.statistics["psi"], catalogue.PROFILE_INFO,
        catalogue.OUTPUTS.statistics["psi"], catalogue.MODEL_INFO,
    ):  # fmt: skip
        assert family.name in served, family.name
        assert family.name not in shadow, family.name
    assert 'model_shadow_requests_total{model="churn",model_version="7-shadow",code="200"} 1\n' in page
    assert 'model_shadow_requests_total{model="churn",model_version="7-shadow",code="500"} 1\n' in page
    assert 'model_shadow_rows_total{model="churn",model_version="7-shadow"} 3\n' in page
    assert 'model_requests_total{model="churn",model_version="7",code="200"} 1\n' in page
    assert "model_prediction_bin_total" in shadow
    assert "model_prediction_mean" in shadow


def test_a_copy_is_no_reason_to_retrain(profile: Profile) -> None:
    watch = Watch(profile)
    watch.see()
    watch.see(shadow="true")
    assert [one.label.version for one in retrain.watched(watch.models.shown(1.0))] == ["7"]


def test_without_the_setting_a_version_may_be_called_so_and_is_served() -> None:
    watched = Models(config.resolve(("test", {})), OneProfile(None, None))
    batch = live_rows(2, 1)
    seen = exchange(batch, answers(batch, 1), 1.0, path="/v1/models/m/versions/2-shadow:predict",
                    request_headers={"x-shadow": "true"})  # fmt: skip
    watched.observe(seen, Decoder().decode(seen))
    (one,) = [one for one in watched.shown(1.0) if one.visible]
    assert one.label == Label("m", "2-shadow")
    assert one.snapshot.versioned
    assert one.snapshot.versioned.role == "stable"


def test_a_version_that_copies_name_is_not_what_unnamed_requests_are_of(profile: Profile) -> None:
    watch = Watch(profile)
    watch.see(shadow="true", version="8")
    watch.see()
    assert watch.rows() == {"7": 3, "8-shadow": 3}


def test_copies_alone_leave_the_model_that_waits_for_its_first_request_on_the_page() -> None:
    watch = Watch(None)
    watch.see(shadow="true", version="8")
    assert ("default", "unknown") in {tuple(one.label) for one in watch.models.shown(1.0) if one.visible}


def test_no_copy_becomes_part_of_a_provisional_reference() -> None:
    offered = []

    class Provisional:
        def observe(self, label: Label, *_: object) -> None:
            offered.append(label)

    watch = Watch(None)
    watch.models._provisional = Provisional()  # type: ignore[assignment]
    watch.see(shadow="true")
    watch.see()
    assert offered == [Label("churn", "unknown")]


def test_a_shadow_goes_on_after_a_restart(profile: Profile) -> None:
    watch = Watch(profile)
    watch.see(shadow="true", version="8")
    watch.see()
    watch.models.flush()
    again = Watch(profile)
    again.models.restore({title: dict(kept) for title, kept in watch.models.chapters().items()})
    assert again.rows() == {"7": 3, "8-shadow": 3}
    again.see()
    assert again.rows()["7"] == 6
    assert again.models.wants(Owner("churn", "8-shadow", profile.digest))
    assert not Watch(profile, model__version="9").models.wants(Owner("churn", "8-shadow", profile.digest))


def test_truth_is_joined_to_what_was_served_and_to_its_shadow_each_its_own(profile: Profile) -> None:
    watch = Watch(profile, feedback__enable=True)
    watch.see(1)
    watch.see(1, shadow="true")
    watch.models.flush()
    opened, _ = Late(watch.models).opened()
    assert sorted(one.owner.version for one in opened) == ["7", "7-shadow"]
    assert len({one.key for one in opened}) == 1
