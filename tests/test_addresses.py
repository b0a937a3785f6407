"""Where the relay listens and where it leads: every form people write, and one clear error for anything else."""

from typing import Any

import pytest

from exporter import addresses, config
from exporter.addresses import Route
from exporter.errors import ConfigError


@pytest.mark.parametrize(("text", "found"), [
    (":80", ("0.0.0.0", 80)),  # noqa: S104 (an address is read, none is bound)
    ("127.0.0.1:0", ("127.0.0.1", 0)), ("[::1]:80", ("::1", 80)),
    ("[fe80::1%eth0]:80", ("fe80::1%eth0", 80)),
    ("host.name-1:65535", ("host.name-1", 65535)),
])  # fmt: skip
def test_addresses(text: str, found: Any) -> None:
    assert addresses.split_address(addresses.address(text)) == found


@pytest.mark.parametrize(("text", "found"), [
    ("http://m", ("m", 80)), ("http://m:8000/", ("m", 8000)), ("http://[::1]:8000", ("::1", 8000)),
    ("HTTP://M:1", ("m", 1)), ("unix:/run/m.sock", "/run/m.sock"), ("https://m", ("m", 443)),
])  # fmt: skip
def test_upstreams(text: str, found: Any) -> None:
    assert addresses.upstream_place(addresses.upstream_url(text)) == found


@pytest.mark.parametrize(("text", "listen", "upstream"), [
    (":81=http://m:1", ":81", "http://m:1"),
    ("[::1]:81=http://[::1]", "[::1]:81", "http://[::1]"),
    ("unix:/a=b=unix:/c=d", "unix:/a=b", "unix:/c=d"),
])  # fmt: skip
def test_routes(text: str, listen: str, upstream: str) -> None:
    found = (Route(listen, upstream),)
    assert addresses.routes(text) == addresses.routes([text]) == addresses.routes(f"[{text}]") == found
    assert addresses.routes(f"{text},{text}") == found * 2


@pytest.mark.parametrize(("settings", "words"), [
    ({"upstream": "http://localhost:8080"}, "upstream: http://localhost:8080 is the address of the relay itself"),
    ({"upstream": "unix:/a", "listen": "unix:/a"}, "upstream: unix:/a is the address of the relay itself"),
    ({"upstream": "http://m:1", "routes": ":81=http://127.0.0.1:8080"},
     "routes: http://127.0.0.1:8080 is the address of the relay itself"),
    ({"upstream": "http://m:1", "routes": "0.0.0.0:8080=http://m:2"}, "routes: two of them listen on 0.0.0.0:8080"),
])  # fmt: skip
def test_a_route_that_leads_back_is_refused(settings: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.resolve(("flags", settings))
    assert str(caught.value) == f"settings: {words}"


def test_routes_alone_are_enough() -> None:
    settings = config.resolve(("flags", {"routes": ":81=http://m:1"}))
    assert settings.every_route == (Route(":81", "http://m:1"),)
