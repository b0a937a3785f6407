"""The reference profile: what a model was trained on, in one file that a person can read and edit.

Imports in a notebook or a training job without anything of the server. `build` makes one from a table, `builder` one
column of it, `sources` reads tables, `document` reads and writes the file, `show` prints it for people.
"""
