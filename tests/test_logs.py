"""Log lines never hold anyone up: what cannot be written is lost and counted."""

import logging
import os
import subprocess
import sys
import threading

from exporter.logs import Outlet


def _outlet(descriptor: int, most: int) -> tuple[logging.Logger, Outlet, list[int]]:
    lost: list[int] = []
    outlet = Outlet(descriptor, lambda: lost.append(1), most)
    logger = logging.getLogger(f"test.{descriptor}.{most}")
    logger.propagate = False
    logger.setLevel("INFO")
    logger.addHandler(outlet)
    return logger, outlet, lost


def test_lines_are_written_in_order() -> None:
    reading, writing = os.pipe()
    logger, outlet, lost = _outlet(writing, 100)
    for number in range(50):
        logger.info("line %d \udc80", number)
    outlet.finish()
    os.close(writing)
    with os.fdopen(reading) as lines:
        assert lines.read().splitlines() == [f"line {number} \\udc80" for number in range(50)]
    assert lost == []


def test_a_pipe_that_nobody_reads_blocks_nobody_and_every_line_is_written_or_counted() -> None:
    reading, writing = os.pipe()
    logger, outlet, lost = _outlet(writing, 10)
    count = 5000
    for number in range(count):
        logger.info("%d %s", number, "x" * 90)
    assert lost, "a pipe and ten lines do not hold that much"
    written: list[str] = []

    def read() -> None:
        with os.fdopen(reading) as lines:
            written.extend(lines.read().splitlines())

    reader = threading.Thread(target=read)
    reader.start()
    outlet.finish(30)
    os.close(writing)
    reader.join(10)
    assert len(written) + len(lost) == count


def test_where_nobody_will_ever_read_lines_are_lost_and_counted() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    logger, outlet, lost = _outlet(writing, 10)
    logger.info("to nobody")
    outlet.finish()
    assert lost == [1]
    outlet.emit(logging.LogRecord("x", logging.INFO, "", 0, "%d", ("no number",), None))
    assert len(lost) == 2
    os.close(writing)


def test_last_words_are_written() -> None:
    code = "import logging; from exporter import logs; logs.start('info', print); logging.info('bye'); raise OSError(7)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "INFO root: bye\n" in found.stderr
    assert "CRITICAL exporter: not caught\n" in found.stderr
    assert "OSError: 7" in found.stderr
