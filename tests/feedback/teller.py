"""Opens and tells without end until it is killed: what it has done, it says, a line each. URL, first number."""

import sys

from feedback.places import LIMITS
from feedback.spoken import prediction, truth

from exporter.feedback.stores import open_store

BATCH = 40


def names(batch: int) -> list[str]:
    return [f"{batch}-{place}" for place in range(BATCH)]


def main() -> None:
    url, first = sys.argv[1], int(sys.argv[2])
    store = open_store(url, LIMITS._replace(predictions=10**6), "a")
    for batch in range(first, first + 10_000):
        store.open([prediction(name) for name in names(batch)])
        print("opened", batch, flush=True)
        store.tell([truth(name, name.encode()) for name in names(batch)])
        print("told", batch, flush=True)


if __name__ == "__main__":
    main()
