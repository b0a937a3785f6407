"""Run in KServe's environment: asks a server by Triton's HTTP client, with tensors in binary or in JSON.

URL FORM LIVE.JSON; prints the predictions as JSON. FORM is `DATATYPE` or `DATATYPE json`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tritonclient.http as triton

KINDS = {"FP32": np.float32, "FP64": np.float64}


def main() -> None:
    url, form, live = sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text())
    datatype, _, way = form.partition(" ")
    rows = np.array(live["rows"], KINDS[datatype])
    predictions: list[int] = []
    client = triton.InferenceServerClient(url.removeprefix("http://"))
    for batch in (rows[:1], rows[1:2], rows[2:]):
        tensor = triton.InferInput("x", list(batch.shape), datatype)
        tensor.set_data_from_numpy(batch, binary_data=way != "json")
        output = triton.InferRequestedOutput("predict", binary_data=way != "json")
        answer = client.infer(
            "cancer", [tensor], outputs=[output], request_id="1",
            headers={"Content-Type": "application/json"} if way == "json" else None,  # KServe's server asks for it
        )  # fmt: skip
        predictions += np.ravel(answer.as_numpy("predict")).tolist()
    client.close()
    print(json.dumps({"predictions": predictions}))


if __name__ == "__main__":
    main()
