"""Write the next revision of the schema: what `im_repo.schema` has and the newest revision has not.

    python tools/new_revision.py 0002 "Add reactions"

Read what it wrote, raise `HEAD` in im_repo/migrations/upgrade.py, and commit both with the change of the schema.
"""

import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = ROOT / "im_repo" / "migrations"


def main(revision: str, title: str) -> None:
    """Write the revision and format it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with create_engine("sqlite://").connect() as connection:
        config.attributes["connection"] = connection
        if any((MIGRATIONS / "versions").glob("0*.py")):
            command.upgrade(config, "head")
        command.revision(config, title, autogenerate=True, rev_id=revision)
    for arguments in (["check", "--fix", "-q"], ["format", "-q"]):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, str(MIGRATIONS)], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
