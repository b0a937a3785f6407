"""Those whom tests have told things end with those who tell them."""

import socket
import threading

import sinks
from support import eventually


def test_a_sender_that_goes_in_the_middle_of_a_mail_leaves_nobody_reading() -> None:
    before = threading.active_count()
    with sinks.mails() as letterbox:
        with socket.create_connection(("127.0.0.1", letterbox.port)) as sender, sender.makefile("rwb") as lines:
            lines.readline()
            lines.write(b"DATA\r\nSubject: half of it\r\n")
            lines.flush()
            lines.readline()
        eventually(lambda: threading.active_count() == before + 1, what="the reader to end")  # there is the server
    assert letterbox.mails == []
