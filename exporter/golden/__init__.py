"""Golden requests: known requests with the answers that a model must give, sent by ourselves and never counted as data.

`cases` are the nouns, `reading` the file that people write, `sending` asks a server, `answers` opens what came back,
`comparing` judges it; `recording` and `writing` make the file, `report` says how it went. Nobody here has a thread.
"""
