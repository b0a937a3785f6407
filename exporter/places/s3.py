"""S3 and what speaks its protocol. Endpoint, region and credentials are those of boto3's environment."""

import importlib
from typing import Any, Final

from exporter.locations import Location
from exporter.places.content import Absent, Content, Refused, missing, whole

_PATIENCE_S: Final = 10
_PIECE: Final = 1 << 16
_ABSENT: Final = frozenset(("NoSuchKey", "NoSuchBucket", "404"))
_DENIED: Final = frozenset(("AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"))
_SAME: Final = frozenset(("304", "NotModified"))


def fetch(location: Location, mark: str) -> Content | None:
    """The object's bytes; None where its ETag is the mark."""
    try:
        client, exceptions = _client()
    except ImportError as error:
        raise missing("s3", error) from None
    bucket, _, key = location.text.removeprefix("s3://").partition("/")
    try:
        found = client().get_object(Bucket=bucket, Key=key, **({"IfNoneMatch": mark} if mark else {}))
        return Content(whole(found["Body"].iter_chunks(_PIECE)), found.get("ETag", ""))
    except exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _SAME:
            return None
        raise _said(code) from None
    except exceptions.BotoCoreError as error:  # its words may name endpoints with what they are signed by
        raise Refused(f"the store cannot be asked ({type(error).__name__})") from None


def _client() -> tuple[Any, Any]:
    """How to make a client, and the library's exceptions."""
    boto3, config, exceptions = map(importlib.import_module, ("boto3", "botocore.config", "botocore.exceptions"))
    limits = config.Config(connect_timeout=_PATIENCE_S, read_timeout=_PATIENCE_S, retries={"max_attempts": 2})
    return lambda: boto3.client("s3", config=limits), exceptions


def _said(code: str) -> Absent | Refused:
    """What an error of the store means."""
    if code in _ABSENT:
        return Absent(f"the store has nothing there ({code})")
    return Refused(f"the store forbids it ({code})" if code in _DENIED else f"the store answered {code}")
