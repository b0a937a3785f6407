"""GET /config: what is in force, all of it, and nothing that is secret."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from web.doors import PAGE
from werkzeug.test import TestResponse

from exporter import config, web
from exporter.config import Settings
from exporter.web import settings_page
from exporter.web.settings_page import Latest

SECRET = "zqxjk"  # noqa: S105 (a test's)


def settings(**document: Any) -> Settings:
    return config.resolve(("test", config.flatten(document, "test")))


def page(found: Settings, path: str = "/config") -> TestResponse:
    app = web.create_app(lambda: PAGE)
    settings_page.add(app, Latest(found, ()))
    return app.test_client().get(path)


def text(**document: Any) -> str:
    return page(settings(**document)).get_data(as_text=True)


def test_it_is_yaml_of_every_setting_and_itself_a_file_of_the_same_settings() -> None:
    found = settings(
        upstream="http://model:8000", routes=[":1=http://model:1"], windows={"lengths": ["1m", "1h"]},
        dependencies=[{"name": "db", "url": "tcp://db:1"}], segments={"by": ["city"]},
    )  # fmt: skip
    answer = page(found)
    assert answer.mimetype == "text/plain"
    shown = yaml.safe_load(answer.get_data(as_text=True))
    assert config.flatten(shown, "page").keys() == {key.name for key in config.every_key()}
    assert shown["upstream"] == "http://model:8000"
    assert shown["windows"]["lengths"] == [60, 3600]
    assert shown["dependencies"][0]["name"] == "db"
    plain = settings(upstream="http://model:8000", windows={"lengths": ["1m"]})
    assert config.resolve(("page", config.flatten(yaml.safe_load(settings_page.text(plain)), "page"))) == plain


@pytest.mark.parametrize("address", [
    f"https://user:{SECRET}@store/profile.json", f"https://{SECRET}@store:1/a@b/c.json",
    f"https://store/profile.json?X-Amz-Signature={SECRET}", f"https://user:{SECRET}@store/p?a={SECRET}&b=c@d",
    f"https://user:pa@{SECRET}@store/{{model}}.json", f"https://store/a/?{SECRET}#sha256={'0' * 64}",
])  # fmt: skip
def test_of_an_address_neither_user_nor_password_nor_what_follows_the_path_is_shown(address: str) -> None:
    found = text(upstream="http://model:1", profile=address)
    assert "…" in found
    assert SECRET not in found


def test_what_files_of_secrets_hold_is_not_shown_but_where_they_are(tmp_path: Path) -> None:
    names = ("web.yml", "token", "salt", "header", "key.pem", "bearer")
    files = {name: str(tmp_path / name) for name in names}
    for file in files.values():
        Path(file).write_text(SECRET)
    needs = {"name": "db", "url": f"https://db/ping?key={SECRET}", "header_files": {"X-Api-Key": files["header"]}}
    more = {"name": "store", "url": "https://store/", "bearer_token_file": files["bearer"]}
    found = text(
        upstream="http://model:1", web={"config_file": files["web.yml"]}, events={"token_file": files["token"]},
        listen_tls={"cert_file": "c", "key_file": files["key.pem"]}, dependencies=[needs, more],
        salt_file=files["salt"],
        merge={"upstream_metrics": f"/metrics?token={SECRET}"},
    )  # fmt: skip
    assert SECRET not in found
    assert [file for file in files.values() if json.dumps(file) not in found] == []
    assert "https://db/ping?…" in found
    assert "/metrics?…" in found


def test_where_columns_are_private_no_setting_names_any(tmp_path: Path) -> None:
    hidden = {
        "features": {f"{SECRET}a": f"{SECRET}field"}, "outputs": {f"{SECRET}o": 0},
        "segments": {"by": [f"{SECRET}b", {"name": "t", "header": f"X-{SECRET}"}]},
        "evidence": {"group_key": {"header": f"X-{SECRET}-Session"}},
        "request_id": {"header": f"X-{SECRET}-Id", "columns": [f"{SECRET}id"]},
    }  # fmt: skip
    assert SECRET in text(upstream="http://model:1", **hidden)
    for said in ({"deny": [f"{SECRET}d"]}, {"hash": [f"{SECRET}*"]}):
        found = text(upstream="http://model:1", privacy=said, salt_file=str(tmp_path / "salt"), **hidden)
        assert SECRET not in found.lower()
        assert "by: # hidden, 2 of them" in found
        assert yaml.safe_load(found)["request_id"]["columns"] is None


def test_it_can_only_be_read() -> None:
    found = settings(upstream="http://model:1")
    app = web.create_app(lambda: PAGE)
    settings_page.add(app, Latest(found, ()))
    client = app.test_client()
    assert client.head("/config").status_code == 200
    assert {client.open("/config", method=one).status_code for one in ("POST", "PUT", "DELETE", "PATCH")} == {405}


def test_the_settings_that_were_told_last_are_shown_and_half_a_line_changes_nothing() -> None:
    first, last = (settings(upstream="http://model:1", max_connections=count) for count in (1, 2))
    line = json.dumps({"settings": config.to_document(last)}).encode() + b"\n"

    def told(*lines: bytes) -> Settings:
        latest = Latest(first, ())
        latest._hear(lines)
        return latest()

    assert told() == first
    assert told(line) == last
    assert told(line, line[:100], b"{}\n", b'{"settings": {"workers": 0}}\n') == last
