"""The history of the schema: from an empty database to `im_repo.schema`, one revision after the other.

Alembic writes and runs it. Importing Alembic takes longer than everything else a start does, so `upgrade.py` imports
it only where the stored revision is not the newest.
"""
