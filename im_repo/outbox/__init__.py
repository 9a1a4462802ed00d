"""The outbox: what was committed and is not yet known to have reached everybody.

One row per commit batch guards its fan-out. Confirmations are counted in memory by the boot that committed the row; a
row that stays unconfirmed is delivered again by age, whoever wrote it.
"""
