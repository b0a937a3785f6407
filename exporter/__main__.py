"""`python -m exporter` is the command `inference-exporter`."""

import sys

from exporter.cli import main

sys.exit(main())
