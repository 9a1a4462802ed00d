"""One kind of load per file: who takes part, what they do when an arrival is due, what is measured of it.

To write one in which people send messages: subclass `talk.TalkScenario`; say in `people` how many accounts it needs and
which must share a process; in `connect` connect them and `add` each to its conversations; in `arrive` offer one message
to one sender. Driving, draining, the exchange of what was acked and the re-reading of every history are there.
`private.py` is the example.

Any other kind: subclass `abstract.Scenario`, list its `steps`, write a method for each. `connect.py` drives something
else at a rate, `idle.py` only holds. What is counted goes into `crew.tally` (`others[name].record(seconds)`,
`counts[name] += 1`), what the whole run found into `conclude`; name it in `latencies` and `figures`. Then add the class to `registry.SCENARIOS`: the
command, its flags, its help and its page of the reference come by themselves.
"""
