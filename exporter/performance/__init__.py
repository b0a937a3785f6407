"""How good a model is: predictions held against what turned out. Arrays in, numbers out; no clock, no I/O.

task      what is predicted, and how predictions and truths are written and read
tally     what is added up of joined rows: whole numbers, so that order and batching make no difference
measures/ SHELF accuracy, AUC, RMSE …: from sums to numbers, each with its interval
"""
