"""Run in KServe's environment: KServe's own Python server with the classifier, V1 and V2, JSON and binary."""

import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer


class Classifier(Model):
    def __init__(self, path: Path) -> None:
        super().__init__("cancer")
        self._model = joblib.load(path)
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:  # noqa: ARG002
        if isinstance(payload, dict):
            return {"predictions": self._of(np.array(payload["instances"], np.float64)).tolist()}
        return self._answer(payload)

    def _answer(self, request: InferRequest) -> InferResponse:
        [tensor] = request.inputs
        found = self._of(tensor.as_numpy().astype(np.float64))
        wanted = request.request_outputs[0].parameters if request.request_outputs else {}
        output = InferOutput("predict", [len(found)], "INT64")
        output.set_data_from_numpy(found.astype(np.int64), binary_data=bool((wanted or {}).get("binary_data")))
        return InferResponse(request.id, self.name, [output])

    def _of(self, rows: np.ndarray) -> np.ndarray:
        return self._model[-1].predict(self._model[0].transform(rows))


def main() -> None:
    ModelServer(http_port=int(sys.argv[2]), enable_grpc=False, workers=1).start([Classifier(Path(sys.argv[1]))])


if __name__ == "__main__":
    main()
