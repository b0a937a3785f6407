"""Put a file into a store: objects.py s3|gs BUCKET KEY FILE."""

import sys
from pathlib import Path


def main() -> None:
    kind, bucket, key, file = sys.argv[1:]
    if kind == "s3":
        import boto3  # noqa: PLC0415

        client = boto3.client("s3")
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key=key, Body=Path(file).read_bytes())
        return
    from google.cloud import storage  # noqa: PLC0415

    client = storage.Client()
    found = client.lookup_bucket(bucket) or client.create_bucket(bucket)
    found.blob(key).upload_from_filename(file)


main()
