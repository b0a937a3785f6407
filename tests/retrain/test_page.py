"""docs/retraining.md: the receiver that it shows works, and all that it names exists."""

import base64
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from exporter import catalogue, config
from exporter.retrain import signature
from exporter.retrain.event import MEDIA
from exporter.retrained import SUPPRESSIONS
from exporter.retraining import ADVICE, KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "retraining.md").read_text()
KEY = b"k" * 32


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the receiver's program defines."""
    monkeypatch.setenv("WEBHOOK_SECRET", f"whsec_{base64.b64encode(KEY).decode()}")
    program = PAGE.partition("<!-- receiver: ")[2].partition("```python\n")[2].partition("```")[0]
    found: dict[str, Any] = {"__name__": "receiver"}
    exec(program, found)  # noqa: S102 (our own document)
    return found


def test_the_receiver_trains_once_for_one_id_and_refuses_other_signatures(shown: dict[str, Any]) -> None:
    trained = list[tuple[str, str]]()
    shown["train"] = lambda model, version, _: trained.append((model, version))
    client = shown["app"].test_client()

    def post(event_id: str, advice: str = "retrain", key: bytes = KEY, at: float = 0.0) -> int:
        document = {
            "type": f"io.github.inference-exporter.{advice}.requested", "subject": "m", "data": {"model_version": "7"}
        }  # fmt: skip
        body = json.dumps(document).encode()
        headers = signature.headers(event_id, int(time.time() - at), body, [b"o" * 32, key])
        answer = client.post("/hooks/inference-exporter", data=body, headers=headers, content_type=MEDIA)
        return int(answer.status_code)

    assert [post("a"), post("a"), post("b", "rework"), post("c")] == [204] * 4
    assert trained == [("m", "7")] * 2
    assert [post("d", key=b"x" * 32), post("e", at=301)] == [401, 401]
    assert len(trained) == 2


def test_the_page_names_only_what_exists_and_all_of_it() -> None:
    names = {family.name for family in catalogue.RETRAIN}
    assert set(re.findall(r"\b(?:model|inference_exporter)_retrain_[a-z_]+\b", PAGE)) == names
    keys = {key.name for key in config.every_key()}
    for section, key in re.findall(r"`(retrain|state)\.([a-z_]+)`", PAGE):
        assert f"{section}.{key}" in keys
    for word in (*ADVICE, *(word for word in SUPPRESSIONS if word not in {"dry_run", "state"})):
        assert f"`{word}`" in PAGE, word
    assert set(re.findall(r'"kind": "([a-z_]+)"', PAGE)) <= set(KINDS)
