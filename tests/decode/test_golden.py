"""Golden payloads of every protocol: what its documents show, and what is read of it."""

import json
from typing import Any, NamedTuple

import pytest
from decode.test_contract import decode, exchange

from exporter.decode import PROTOCOLS
from exporter.records import Failure, Observation, Table

JSON = {"content-type": "application/json"}
CSV = {"content-type": "text/csv"}


class Golden(NamedTuple):
    """A request with its answer, and what is to be read of them; a str is a failure's reason."""

    protocol: str
    path: str
    request: Any
    response: Any
    features: Table | str
    predictions: Table | str
    model: str = ""
    version: str = ""
    request_id: str = ""
    asked: dict[str, str] = JSON
    answered: dict[str, str] = JSON


def table(names: Any, *columns: Any) -> Table:
    return Table(len(columns[0]), names, columns)


BARE = table(None, [1, 3], [2, 4])
NAMED = table(("age", "job"), [34, 22], ["a", "b"])
TWO = table(None, [0.1, 0.9])
LINES = {"content-type": "application/jsonlines"}
EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
ASKED = ("messages", "content_characters", "stream", "max_tokens", "temperature", "top_p", "n")
ANSWERED = ("usage.prompt_tokens", "usage.completion_tokens", "usage.total_tokens", "finish_reason", "choices")
CHAT = {"model": "m", "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi!"}]}
STREAM = b"".join(b"data: " + line + b"\n\n" for line in (
    b'{"model":"m","choices":[{"delta":{"role":"assistant"},"finish_reason":null}]}',
    b'{"model":"m","choices":[{"delta":{"content":"Hello"},"finish_reason":null}]}',
    b'{"model":"m","choices":[{"delta":{},"finish_reason":"stop"}]}',
    b'{"model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}', b"[DONE]",
))  # fmt: skip

GOLDEN = [
    # Open Inference Protocol
    Golden("open_inference", "/v2/models/mymodel/versions/3/infer",
           {"id": "42", "inputs": [{"name": "input0", "shape": [2, 2], "datatype": "UINT32", "data": [1, 2, 3, 4]}]},
           {"model_name": "mymodel", "model_version": "1", "id": "42",
            "outputs": [{"name": "output0", "shape": [2], "datatype": "FP32", "data": [0.1, 0.9]}]},
           BARE, table(("output0",), [0.1, 0.9]), "mymodel", "3", "42"),
    Golden("open_inference", "/seldon/ns/dep/v2/models/income/infer",
           {"parameters": {"content_type": "pd"}, "inputs": [
               {"name": "age", "datatype": "INT32", "shape": [2], "data": [34, 22]},
               {"name": "job", "datatype": "BYTES", "parameters": {"content_type": "str"}, "shape": [2, 1],
                "data": ["a", "b"]}]},
           {"model_name": "other", "model_version": "v7", "id": "made-by-server",
            "outputs": [{"name": "y", "shape": [2, 1], "datatype": "FP64", "data": [0.1, 0.9]}]},
           NAMED, table(("y",), [0.1, 0.9]), "income", "v7", "made-by-server"),
    # KServe V1, TensorFlow Serving
    Golden("instances", "/v1/models/m/versions/2:predict", {"signature_name": "d", "instances": [[1, 2], [3, 4]]},
           {"predictions": [0.1, 0.9]}, BARE, TWO, "m", "2"),
    Golden("instances", "/v1/models/m/labels/stable:predict",
           {"instances": [{"age": 34, "job": "a"}, {"age": 22, "job": "b"}]},
           {"predictions": [{"p": 0.1}, {"p": 0.9}]}, NAMED, table(("p",), [0.1, 0.9]), "m", "label:stable"),
    Golden("instances", "/v1/models/m:predict", {"instances": [[0, 0, 0]]}, {"instances": [[4, 5, 6]]},
           table(None, [0], [0], [0]), table(None, [4], [5], [6]), "m"),
    Golden("instances", "/v1/models/m:classify",
           {"context": {"job": "a"}, "examples": [{"age": 34}, {"age": 22, "job": "b"}]},
           {"results": [[["yes", 0.1], ["no", 0.9]], [["yes", 0.9], ["no", 0.1]]]},
           table(("job", "age"), ["a", "b"], [34, 22]), table(("yes", "no"), [0.1, 0.9], [0.9, 0.1]), "m"),
    Golden("instances", "/v1/models/m:regress", {"examples": [{"age": 34}, {"age": 22}]}, {"results": [0.1, 0.9]},
           table(("age",), [34, 22]), TWO, "m"),
    Golden("columnar", "/v1/models/m:predict", {"inputs": {"age": [34, 22], "job": ["a", "b"]}},
           {"outputs": {"p": [0.1, 0.9]}}, NAMED, table(("p",), [0.1, 0.9]), "m"),
    Golden("columnar", "/v1/models/m:predict", {"inputs": [[1, 2], [3, 4]]}, {"outputs": [0.1, 0.9]}, BARE, TWO, "m"),
    # MLflow
    Golden("mlflow", "/invocations", {"dataframe_split": {"columns": ["age", "job"], "index": [0, 1],
                                                          "data": [[34, "a"], [22, "b"]]}, "params": {"k": 1}},
           {"predictions": [0.1, 0.9]}, NAMED, TWO),
    Golden("mlflow", "/invocations", {"dataframe_records": [{"age": 34, "job": "a"}, {"age": 22, "job": "b"}]},
           {"predictions": [{"p": 0.1}, {"p": 0.9}]}, NAMED, table(("p",), [0.1, 0.9])),
    Golden("columnar", "/invocations", {"inputs": {"age": [34, 22], "job": ["a", "b"]}, "params": {}},
           {"predictions": {"p": [0.1, 0.9]}}, NAMED, table(("p",), [0.1, 0.9])),
    Golden("instances", "/invocations", {"instances": [[1, 2], [3, 4]]}, {"predictions": [0.1, 0.9]}, BARE, TWO),
    Golden("mlflow", "/invocations", b"age,job\r\n34,a\r\n22,b\r\n", {"predictions": [0.1, 0.9]}, NAMED, TWO,
           asked={"content-type": "text/csv; charset=utf-8"}),
    Golden("mlflow", "/invocations", {"columns": ["age", "job"], "data": [[34, "a"], [22, "b"]]}, [0.1, 0.9],
           NAMED, TWO, asked={"content-type": "application/json; format=pandas-split"}),
    Golden("mlflow", "/invocations", [{"age": 34, "job": "a"}, {"age": 22, "job": "b"}], [0.1, 0.9], NAMED, TWO,
           asked={"content-type": "application/json; format=pandas-records"}),
    # SageMaker
    Golden("sagemaker", "/invocations", b"1,2\n3,4\n", b"0.1,0.9", BARE, TWO, asked=CSV, answered=CSV),
    Golden("sagemaker", "/invocations", b"1,2\n3,4", b"0.1\n0.9\n", BARE, TWO, "", "blue", "inference-1",
           asked=CSV | {"x-amzn-sagemaker-inference-id": "inference-1", "x-amzn-sagemaker-target-variant": "blue"},
           answered={"content-type": "text/csv; charset=utf-8"}),
    Golden("sagemaker", "/invocations", b'"a ""good"", one",5\n,"7.5"\n', b"0,0.1\n1,0.9",
           table(None, ['a "good", one', None], [5, 7.5]), table(None, [0, 1], [0.1, 0.9]), asked=CSV, answered=CSV),
    Golden("sagemaker", "/invocations", b"a,1\nb,2\n", {"predictions": [{"score": 0.1, "predicted_label": 0},
                                                                       {"score": 0.9, "predicted_label": 1}]},
           table(None, ["a", "b"], [1, 2]), table(("score", "predicted_label"), [0.1, 0.9], [0, 1]), asked=CSV),
    Golden("sagemaker", "/invocations", {"instances": [{"features": [1, 2]}, {"features": [3, 4]}]},
           {"predictions": [{"score": 0.1}, {"score": 0.9}]}, BARE, table(("score",), [0.1, 0.9])),
    Golden("sagemaker", "/models/churn.tar.gz/invoke", b'{"features":[1,2]}\n{"features":[3,4]}\n',
           b'{"score":0.1}\n{"score":0.9}\n', BARE, table(("score",), [0.1, 0.9]), "churn.tar.gz",
           asked=LINES, answered=LINES),
    Golden("sagemaker", "/invocations", b'{"data":{"features":[1,2]}}\n\n{"data":{"features":[3,4]}}', b"0.1\n0.9",
           BARE, TWO, asked=LINES, answered=LINES),
    Golden("sagemaker", "/invocations", b'{"age":34,"job":"a"}\n{"age":22,"job":"b"}\n', [0.1, 0.9], NAMED, TWO,
           asked=LINES),
    # Seldon
    Golden("seldon", "/api/v1.0/predictions",
           {"meta": {"puid": "p1", "tags": {}}, "data": {"names": ["age", "job"], "ndarray": [[34, "a"], [22, "b"]]}},
           {"meta": {"puid": "p1", "requestPath": {"clf": "image:1.3"}},
            "data": {"names": ["t:0"], "ndarray": [[0.1], [0.9]]}}, NAMED, table(("t:0",), [0.1, 0.9]), "", "", "p1"),
    Golden("seldon", "/seldon/models/income/api/v1.0/predictions",
           {"data": {"tensor": {"shape": [2, 2], "values": [1, 2, 3, 4]}}},
           {"meta": {"puid": "p2"}, "data": {"tensor": {"shape": [2, 1], "values": [0.1, 0.9]}}},
           BARE, table(None, [0.1, 0.9]), "income", "", "p2"),
    Golden("seldon", "/predict", {"data": {"names": ["age"], "ndarray": [34, 22]}},
           {"data": {"ndarray": [0.77, 0.63]}}, table(None, [34], [22]), table(None, [0.77], [0.63])),
    Golden("seldon", "/api/v1.0/predictions", {"data": {"ndarray": [[1, 2], [3, 4]], "names": ["x", "x"]}},
           {"data": {"ndarray": [0.1, 0.9]}}, BARE, TWO),
    Golden("seldon", "/api/v1.0/predictions",
           {"data": {"tftensor": {"dtype": "DT_INT64", "tensorShape": {"dim": [{"size": "2"}, {"size": "2"}]},
                                  "int64Val": ["1", "2", "3", "4"]}}},
           {"data": {"tftensor": {"dtype": "DT_DOUBLE", "tensor_shape": {"dim": [{"size": 2}, {"size": 1}]},
                                  "double_val": [0.1, 0.9]}}}, BARE, TWO),
    Golden("seldon", "/api/v1.0/predictions",
           {"data": {"tftensor": {"dtype": "DT_STRING", "tensorShape": {"dim": [{"size": "1"}, {"size": "2"}]},
                                  "stringVal": ["Y2F0", "ZG9n"]}}},
           {"data": {"tftensor": {"dtype": "DT_FLOAT", "tensorShape": {"dim": [{"size": "2"}]},
                                  "tensorContent": "AACAPwAAAEA="}}},
           table(None, ["cat"], ["dog"]), table(None, [1.0], [2.0])),
    Golden("seldon", "/api/v1.0/predictions", {"jsonData": {"age": 34, "job": "a"}}, {"strData": "yes"},
           table(("age", "job"), [34], ["a"]), table(None, ["yes"])),
    Golden("seldon", "/api/v1.0/predictions", {"binData": "AA=="}, {"customData": {}}, "datatype", "datatype"),
    # OpenAI
    Golden("openai", "/v1/chat/completions", CHAT | {"max_tokens": 50, "temperature": 0.2},
           {"id": "chatcmpl-1", "model": "llama-3", "choices": [{"message": {"content": "Hello"},
                                                                 "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}},
           table(ASKED, [2], [11], [False], [50], [0.2], [None], [None]),
           table(ANSWERED, [9], [1], [10], ["stop"], [1]), "llama-3"),
    Golden("openai", "/openai/v1/chat/completions", CHAT | {"stream": True, "n": 1}, STREAM,
           table(ASKED, [2], [11], [True], [None], [None], [None], [1]),
           table(ANSWERED, [9], [1], [10], ["stop"], [1]), "m", answered=EVENTS),
    Golden("openai", "/openai/deployments/gpt/completions", {"prompt": ["Once", "upon"]},
           {"choices": [{"text": "a", "finish_reason": "eaten by a grue"}, {"text": "b", "finish_reason": "length"}]},
           table(ASKED, [None], [8], [False], [None], [None], [None], [None]),
           table(ANSWERED, [None], [None], [None], ["other"], [2]), "gpt"),
    Golden("openai", "/v1/embeddings", {"model": "e", "input": ["cat", "dogs"]},
           {"model": "e", "data": [{"embedding": [0.1]}, {"embedding": [0.2]}],
            "usage": {"prompt_tokens": 2, "total_tokens": 2}},
           table(ASKED, [None], [7], [False], [None], [None], [None], [None]),
           table(ANSWERED, [2], [None], [2], [None], [2]), "e"),
    # TorchServe
    Golden("torchserve", "/predictions/iris/1.0", [5.1, 3.5], [0.1, 0.9], table(None, [5.1], [3.5]),
           table(None, [0.1], [0.9]), "iris", "1.0", "x-1", asked={"x-request-id": "x-1"}, answered={}),
    Golden("torchserve", "/predictions/iris", {"data": [[1, 2], [3, 4]]}, [0.1, 0.9], BARE, TWO, "iris"),
    Golden("torchserve", "/predictions/iris", {"age": 34, "job": "a"}, 0.5, table(("age", "job"), [34], ["a"]),
           table(None, [0.5]), "iris"),
    # free JSON: BentoML, LitServe, Ray Serve, FastAPI
    Golden("plain", "/classify", {"input_series": [[1, 2], [3, 4]]}, [0, 1], BARE, table(None, [0, 1])),
    Golden("plain", "/classify", {"age": [34, 22], "job": ["a", "b"]}, {"p": [0.1, 0.9]}, NAMED,
           table(("p",), [0.1, 0.9])),
    Golden("plain", "/summarize", {"texts": ["one", "two"]}, ["1", "2"], table(("texts",), ["one", "two"]),
           table(None, ["1", "2"])),
    Golden("plain", "/predict", {"input": 4.0}, {"output": 16.0}, table(("input",), [4.0]), table(("output",), [16.0])),
    Golden("plain", "/predict", {"input": [5.1, 3.5]}, {"output": [0.2, 0.8]}, table(None, [5.1], [3.5]),
           table(None, [0.2], [0.8])),
    Golden("plain", "/", {"age": 34, "job": "a"}, {"prediction": 1, "probabilities": [0.1, 0.9]},
           table(("age", "job"), [34], ["a"]), table(("prediction", "probabilities[0]", "probabilities[1]"),
                                                     [1], [0.1], [0.9])),
    Golden("plain", "/", [{"age": 34, "job": "a"}, {"age": 22, "job": "b"}], {"predictions": [0.1, 0.9], "took": 3},
           NAMED, table(("predictions",), [0.1, 0.9])),
    Golden("plain", "/score", {"features": [1, 2], "explain": False}, {"detail": "no"}, table(None, [1], [2]),
           "unknown_protocol"),
    Golden("plain", "/score", {"customer": {"age": 3}, "shop": {"id": 4}}, 0.5, "shape", table(None, [0.5])),
]  # fmt: skip


def encoded(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def observed(golden: Golden, **changes: Any) -> Observation:
    headers = {"request_headers": golden.asked, "response_headers": golden.answered}
    return decode(exchange(encoded(golden.request), encoded(golden.response), path=golden.path, **headers, **changes))


def same(found: Any, expected: Table | str) -> None:
    if isinstance(expected, str):
        assert isinstance(found, Failure)
        assert found.reason == expected
        return
    assert isinstance(found, Table), found
    assert (found.rows, found.names) == (expected.rows, expected.names)
    assert [list(column) for column in found.columns] == [list(column) for column in expected.columns]


@pytest.mark.parametrize("golden", GOLDEN, ids=[f"{number} {one.protocol}" for number, one in enumerate(GOLDEN)])
def test_a_golden_exchange_is_read_as_its_documents_say(golden: Golden) -> None:
    seen = observed(golden)
    same(seen.features, golden.features)
    same(seen.predictions, golden.predictions)
    assert seen.protocol == golden.protocol
    assert (seen.model, seen.version, seen.request_id) == (golden.model, golden.version, golden.request_id)


@pytest.mark.parametrize("golden", GOLDEN, ids=[f"{number} {one.protocol}" for number, one in enumerate(GOLDEN)])
def test_of_a_golden_exchange_that_failed_the_request_is_read_all_the_same(golden: Golden) -> None:
    seen = observed(golden, status=500)
    same(seen.features, golden.features)
    same(seen.predictions, "error_status")


def test_every_protocol_has_golden_exchanges() -> None:
    assert {golden.protocol for golden in GOLDEN} == set(PROTOCOLS)
