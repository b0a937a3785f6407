"""Grafana's dashboards, generated from the catalogue and the rules.

boards      SHELF one dashboard each, in words of the catalogue
pieces      the nouns: board, row, panel, query
queries     the words of the queries
bins        shares by bin, and what each bin adds to the PSI
faults      what can be wrong with values, over its limit
worst       the worst few of many
looks       colours and limits
kinds       kinds of panels, with their options
links       the ways between dashboards
frame       what stands around the panels: variables and annotations
choice      what people choose when the files are written
grafana     all of it in Grafana's form
files       the files, with those that provision them
listing     tables for the documents
"""
