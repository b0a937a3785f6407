"""Signatures that any library of Standard Webhooks takes."""

import base64
import hashlib
import hmac

import pytest

from exporter.retrain import signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 (of the specification's examples)


def test_the_example_that_the_libraries_have_is_signed_alike() -> None:
    keys = signature.secrets(SECRET)
    found = signature.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', keys)
    assert found == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }  # fmt: skip


def test_several_secrets_sign_each() -> None:
    other = base64.b64encode(b"x" * 32).decode()
    found = signature.headers("a", 1, b"b", signature.secrets(f"{SECRET}\n\n{other}\n"))["webhook-signature"]
    digest = hmac.new(b"x" * 32, b"a.1.b", hashlib.sha256).digest()
    assert found.split(" ")[1] == f"v1,{base64.b64encode(digest).decode()}"
    assert len(found.split(" ")) == 2


def test_without_a_secret_nothing_is_signed() -> None:
    assert signature.headers("a", 1, b"b", ()) == {"webhook-id": "a", "webhook-timestamp": "1"}


@pytest.mark.parametrize("text", ["", "whsec_", "hunter2hunter2hunter2hunter2!", "whsec_YWJj", f"{SECRET}\n" * 5])
def test_a_file_that_holds_no_secrets_is_refused_without_telling_them(text: str) -> None:
    with pytest.raises(ValueError, match=r"must (hold|be)") as caught:
        signature.secrets(text)
    assert "hunter2" not in str(caught.value)
    assert "MfKQ" not in str(caught.value)
