"""Exchanges that somebody else watched and posted: the loggers of KServe and Seldon, as CloudEvents over HTTP.

modes     a POST's body → events: binary, structured, batched
halves    an event → one half of an exchange, and by what the other one is found
intake    the door between the web server's threads and the analyser's loop: bounded, every refusal counted
joining   halves → exchanges, in any order, within bounds of time, number and bytes
desk      all of it, and its accounts: received = observed + dropped + waiting
"""
