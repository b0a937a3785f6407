"""Bodies that are hard to read: the server gets them unchanged, and the page says what became of them."""

import gzip
import http.client
import math
import random
import zlib
from collections.abc import Mapping

from faults.server import answer
from faults.stage import Case, Stage, fault, talk
from support import Metrics

UNDECODED = "payloads_undecoded_total"


def _post(scene: Stage, *bodies: bytes, rows: int = 1, **headers: str) -> None:
    """Each body is answered as it would be without a relay."""
    for body in bodies:
        client = http.client.HTTPConnection("127.0.0.1", scene.port, timeout=120)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client.request("POST", f"/v1/models/m:predict?rows={rows}", body, named)
        with client.getresponse() as found:
            assert (found.status, found.read()) == (200, answer(body, rows))
        client.close()


def _amounts(*texts: str) -> list[bytes]:
    return [b'{"instances": [{"amount": %s, "age": 30, "colour": "red"}]}' % text.encode() for text in texts]


def _judged(case: Case, bodies: int, undecoded: Mapping[str, int]) -> Metrics:
    """Each body is offered, and decoded but for those named by reason."""
    case.unharmed()
    page = case.accounted(others=bodies)
    for labels, _ in page.all("inference_exporter_payloads_undecoded_total", side="request"):
        reason = labels["reason"]
        assert case.moved(UNDECODED, side="request", reason=reason) == undecoded.get(reason, 0), labels
    for reason in undecoded:
        case.tell(UNDECODED, side="request", reason=reason)
    assert case.moved("process_restarts_total") == 0
    payloads = case.moved("payloads_offered_total", side="request") - sum(undecoded.values())
    assert case.moved("payloads_decoded_total", side="request") == payloads
    assert all(math.isfinite(sample.value) for sample in page.samples), "no score is poisoned"
    return page


@fault(21, "Compressed and mislabelled bodies", "gzip of 50 MiB zeros, gzip in gzip, a wrong CRC, an unknown encoding")
def test_compressed_bodies_swell_within_bounds(shared: Stage, case: Case) -> None:
    bomb = gzip.compress(bytes(50 << 20), 9)
    with case.streaming(shared.running):
        _post(shared, bomb, gzip.compress(bomb), gzip.compress(b"{}")[:-8] + bytes(8), Content_Encoding="gzip")
        _post(shared, zlib.compress(b"{}"), Content_Encoding="unheard-of")
    _judged(case, 4, {"content_encoding": 1, "corrupt": 1, "invalid_json": 1, "truncated": 1})


@fault(
    22, "Numbers at the edge",
    "NaN, ±Infinity, -0.0, 1e400, the smallest denormal, integers of 2⁶⁴ and of 400 digits, a number of 5,000 digits",
)  # fmt: skip
def test_numbers_at_the_edge_poison_nothing(shared: Stage, case: Case) -> None:
    digits = str(10**400)
    with case.streaming(shared.running):
        _post(shared, *_amounts("NaN", "Infinity", "-Infinity", "-0.0", "1e400", "5e-324", str(2**64), digits))
        _post(shared, *_amounts("1" * 5000))
    _judged(case, 9, {"invalid_json": 1})
    assert case.tell("model_feature_missing_values_total", feature="amount") == 1
    assert case.tell("model_feature_nonfinite_values_total", feature="amount") == 4
    assert case.moved("model_feature_values_total", feature="amount") == case.moved("model_rows_total")


@fault(23, "Nesting without end", "100,000 and a million opening brackets, in arrays and in objects")
def test_deep_nesting_ends_nothing(shared: Stage, case: Case) -> None:
    deep = b'{"a": ' * 100_000
    with case.streaming(shared.running):
        _post(
            shared, b"[" * 100_000, b"[" * 1_000_000, deep, b'{"instances": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        )
    _judged(case, 4, {"invalid_json": 4})


@fault(
    24, "Bodies that do not fit the model",
    "a key twice, wrong types, features missing and unknown, ragged rows, an empty batch, no list at all, 10⁶ rows",
)  # fmt: skip
def test_bodies_that_do_not_fit_are_named(shared: Stage, case: Case) -> None:
    with case.streaming(shared.running):
        _post(
            shared,
            b'{"instances": [{"amount": 1, "amount": 2, "age": 30, "colour": "red"}]}',
            b'{"instances": [{"amount": "much", "age": [30], "colour": 7}]}',
            b'{"instances": [{"amount": 5, "age": 30, "height": 180}]}',
            b'{"instances": [[1, 2, "red"], [1, 2]]}',
            b'{"instances": 5}',
            b'{"messages": []}',
        )
        _post(shared, b'{"instances": []}', rows=0)
        _post(shared, b'{"instances": [' + b"7," * 999_999 + b"7]}")
    page = _judged(case, 8, {"profile_mismatch": 1, "ragged": 1, "shape": 1, "unknown_protocol": 1})
    assert case.tell("model_unknown_field_values_total") == 1
    assert case.tell("model_feature_type_error_values_total", feature="amount") == 1
    assert page.value("inference_exporter_observing") == 1


@fault(
    25,
    "Text in other encodings",
    "UTF-16, a byte order mark, Latin-1, overlong UTF-8, lone surrogates, NUL in a string",
)
def test_text_in_other_encodings_is_read_or_named(shared: Stage, case: Case) -> None:
    plain = '{"instances": [{"amount": 5, "age": 30, "colour": "red"}]}'
    with case.streaming(shared.running):
        _post(shared, plain.encode("utf-16"), plain.encode("utf-8-sig"))
        _post(shared, plain.replace("red", r"\ud800").encode(), plain.replace("red", r"\u0000").encode())
        _post(shared, plain.replace("red", "rosé").encode("latin-1"), plain.encode().replace(b"red", b"\xc0\x80"))
    _judged(case, 6, {"invalid_json": 2})
    assert case.tell("model_feature_unseen_values_total", feature="colour") == 2


@fault(
    26, "An explosion of names",
    "2,000 random paths, categories and feature names, 20 unknown methods, every status from 200 to 999",
    "as without a relay",
)  # fmt: skip
def test_names_from_strangers_make_no_series(shared: Stage, case: Case) -> None:
    draw = random.Random(26)
    words: list[bytes] = []

    def word() -> bytes:
        words.append(b"%016x" % draw.getrandbits(64))
        return words[-1]

    gets = [b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % word() for _ in range(2000)]
    replies = [b"HTTP/1.1 %d OK\r\nContent-Length: 0\r\n\r\n" % (200 + at % 800) for at in range(2000)]
    with case.streaming(shared.running):
        for _ in range(20):
            rows = b", ".join(b'{"amount": 1, "colour": "%s", "%s": 1}' % (word(), word()) for _ in range(100))
            _post(shared, b'{"instances": [%s]}' % rows, rows=100)
        talk(shared, *zip(gets, replies, strict=True))
        for _ in range(20):
            talk(shared, (b"X" + word().upper() + gets[0][3:], replies[0]))
    page = _judged(case, 20 + 2000, {})
    assert case.tell("model_unknown_field_values_total") == 2000
    assert case.tell("model_feature_unseen_values_total", feature="colour") == 2000
    assert case.tell("proxy_unobservable_connections_total", reason="request_syntax") == 20
    assert not any(one.decode() in page.text.lower() for one in words), "no stranger names a series"
    assert len(page.all("inference_exporter_proxy_requests_total")) <= 402, "those of 600 and more are one"
    case.say("one series per status at most, `other` from 600 on; no name of theirs is on the page")
