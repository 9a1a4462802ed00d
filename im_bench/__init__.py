"""The load tester: drives any gateway over the public protocol and proves that nothing was lost, doubled or disordered.

It is a client like any other: it gets a URL and never looks into the server.

    scenarios/  one kind of load each: who connects, what an arrival does
    run/        a coordinator, the generator processes it spawns, the steps they take together
    load/       schedules, the pacer, senders, the stamp every message carries
    ledger/     exact ranges of what was sent, acked and seen, and what they prove
    adapters/   what the load speaks to: our gateway, a plain echo server, another product
    measure/    latencies, counts, seconds, what processes use
    report/     the result, and the forms it takes
    capacity/   what to make of results: the highest rate, a change against noise, a plan

Imports point one way: run → scenarios → load → adapters → ledger, measure; capacity → report → ledger, measure.
"""
