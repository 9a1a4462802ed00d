"""Write docs/reference/settings.md from the settings tree; with `--check` compare it."""

from itertools import groupby

from generated_page import finish, row, sentence, table

from im_cli.process.settings import ProcessSettings
from im_infra.settings import FieldDoc, Section, describe

HEAD = """# Settings

<!-- generated from the settings trees by `make docs`; edit their descriptions -->

Every setting of every process, of the embedded cluster and of a distributed one. A value comes from, the later the stronger:
its default, the TOML file named by `--config`, an environment variable, a flag of `im up` or `im serve`.

- A key `gateway.public.port` is `[gateway.public]` and `port = 8080` in TOML, and `IM_GATEWAY__PUBLIC__PORT` in the
  environment: `IM_`, upper case, two underscores for each dot.
- Lists in the environment are comma-separated (`10.0.0.0/8,127.0.0.1/32`) or JSON; tables are JSON.
- A variable with `_FILE` behind its name names a file that holds the value: for passwords.
- Unknown keys are errors, in the file and in the environment. All problems are reported at once, each with its key.
- Settings are read at the start only. `im doctor --config FILE` checks them without starting anything.
- Names end in their unit: `_s` seconds, `_ms` milliseconds, `_bytes` bytes, `_per_s` per second.

```toml
[gateway.public]
port = 9000
allowed_origins = ["https://chat.example.org"]

[logic.accounts]
registration = "invite"
guests = false
```

The data folder is not a setting but the flag `--data-dir`, or `IM_DATA_DIR`.
"""


def type_text(text: str) -> str:
    """A type in words of TOML."""
    if text.startswith("tuple[") and text.endswith(", ...]"):
        return f"list of {text[6:-6]}"
    return text.replace(" | none", ", or unset")


def default_text(doc: FieldDoc) -> str:
    """A default as code."""
    if doc.type == "secret":
        return "unset"
    return "unset" if doc.default == "null" else f"`{doc.default}`"


def section_of(tree: type[Section], path: str) -> type[Section]:
    """The section at a dotted path."""
    for name in path.split("."):
        annotation = tree.model_fields[name].annotation
        assert isinstance(annotation, type)
        tree = annotation
    return tree


def main() -> None:
    """Write the page."""
    lines = HEAD.splitlines()
    for path, docs in groupby(describe(ProcessSettings), key=lambda doc: doc.key.rpartition(".")[0]):
        about = (section_of(ProcessSettings, path).__doc__ or "").strip().split("\n\n")[0]
        lines += ["", f"## {path}", "", sentence(about), "", *table("key", "type", "default", "what it is")]
        for doc in docs:
            name = doc.key.rpartition(".")[2]
            lines.append(row(f"`{name}`", type_text(doc.type), default_text(doc), sentence(doc.description)))
    finish("settings.md", lines)


if __name__ == "__main__":
    main()
