"""Read and received cursors: how far each member is, never back, never beyond what they may see.

It owns the table `cursor`, which grants nothing; it never makes a member.
"""
