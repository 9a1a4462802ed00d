"""Carrying a cluster's data into an empty database: from the file of an embedded cluster to a server.

It owns the order in which rows go, what is known of how far they have come, and the comparison at the end. It changes
nothing in the source, and what it carries is all there is in the schema's one `MetaData`: ids, seqs, sessions and cursors
stay what they are. Nothing may write to either side meanwhile.
"""
