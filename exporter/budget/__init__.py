"""How many series a page may come to have, and which it leaves out where that would be too many.

`costs` counts ahead, `order` says what goes first, `plan` decides, `leading` says who shows what is equal everywhere.
"""
