"""What an operator is told of the models, in words and numbers: the status page and `/api/v1` say the same.

`facts` has the nouns, plain data that is JSON as it is. Everything else here makes them of what /metrics is made of
(`collect.scene.Page`): nothing is told that is not of that moment, and no value of a row is among it.
"""
