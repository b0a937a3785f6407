"""What whylogs spends on a payload: a request of one row is tracked as a row, a batch as a data frame.

Told the name of a case on standard input, it answers the seconds of CPU time that one body took.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from whylogs.core import DatasetProfile


def track(profile: DatasetProfile, bodies: Sequence[str]) -> None:
    for body in bodies:
        rows = json.loads(body)["instances"]
        if len(rows) > 1:
            profile.track(pd.DataFrame(rows).rename(columns=str))
        else:
            [row] = rows
            profile.track(row if isinstance(row, dict) else {str(place): cell for place, cell in enumerate(row)})


def main() -> None:
    payloads = json.loads(Path(sys.argv[1]).read_text())
    profiles = {name: DatasetProfile() for name in payloads}
    for line in sys.stdin:
        name = line.strip()
        bodies = payloads.get(name, [])
        begun = time.process_time()
        if bodies:
            track(profiles[name], bodies)
        print(json.dumps((time.process_time() - begun) / len(bodies) if bodies else None), flush=True)


if __name__ == "__main__":
    main()
