"""Run in MLServer's environment: asks a server in one form, with MLServer's own codecs.

URL FORM LIVE.JSON; prints the predictions and the bodies that came, as JSON.
"""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import requests
from mlserver.codecs import NumpyCodec, NumpyRequestCodec, PandasCodec
from mlserver.types import InferenceRequest, InferenceResponse, RequestOutput


def request_of(form: str, frame: pd.DataFrame) -> InferenceRequest:
    if form == "pandas":
        request = PandasCodec.encode_request(frame, use_bytes=False)
    else:
        request = NumpyRequestCodec.encode_request(frame.to_numpy())
    if form == "numpy with probabilities":
        request.outputs = [RequestOutput(name="predict"), RequestOutput(name="predict_proba")]
    request.id = f"{form} {len(frame)}"
    return request


def main() -> None:
    url, form, live = sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text())
    frame = pd.DataFrame(live["rows"], columns=live["names"])
    predictions: list[int] = []
    bodies = []
    with requests.Session() as session:
        for batch in [frame.iloc[:1], frame.iloc[1:2], frame.iloc[2:]]:
            body = request_of(form, batch).model_dump_json(exclude_none=True)
            answer = session.post(
                f"{url}/v2/models/cancer/infer", body, headers={"Content-Type": "application/json"}, timeout=60
            )
            answer.raise_for_status()
            bodies.append(base64.b64encode(answer.content).decode())
            response = InferenceResponse.model_validate_json(answer.content)
            found = NumpyCodec.decode_output(response.outputs[0])
            predictions += np.ravel(found).tolist()
    print(json.dumps({"predictions": predictions, "bodies": bodies}))


if __name__ == "__main__":
    main()
