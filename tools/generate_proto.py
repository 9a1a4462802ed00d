"""Generate im_proto/ from proto/: messages, gRPC stubs and their types.

`im/v1/frame.proto` becomes `im_proto/v1/frame_pb2.py`; protoc's `from im.v1 import` is rewritten to match.
Run by `make proto`; `--check` (in `make proto-check`) writes nowhere and fails when the committed code differs.
"""

import filecmp
import re
import shutil
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
TARGET = ROOT / "im_proto"
INIT = '"""Generated from proto/ by `make proto`; never edited."""\n'


def generate(out: Path) -> None:
    """Write the generated package into `out`."""
    with tempfile.TemporaryDirectory() as raw:
        files = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
        outs = [f"--{kind}_out={raw}" for kind in ("python", "grpc_python")]
        outs += [f"--{kind}_out=quiet:{raw}" for kind in ("mypy", "mypy_grpc")]
        if protoc.main(["protoc", f"-I{PROTO}", *outs, *files]) != 0:
            raise SystemExit("protoc failed")
        for path in sorted(Path(raw).rglob("*.py*")):
            target = out / path.relative_to(Path(raw) / "im")
            text = path.read_text(encoding="utf-8")
            source = PROTO / "im" / path.relative_to(Path(raw) / "im").with_name(f"{path.name.split('_pb2')[0]}.proto")
            if "_pb2_grpc" in path.name and "\nservice " not in source.read_text(encoding="utf-8"):
                continue
            text = re.sub(r"^(from|import) im\.", r"\1 im_proto.", text, flags=re.MULTILINE)
            text = re.sub(r"\bim\.((?:\w+\.)*v1\.\w+_pb2)\b", r"im_proto.\1", text) if path.suffix == ".pyi" else text
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    for folder in [out, *(path for path in out.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").write_text(INIT, encoding="utf-8")


def differences(left: Path, right: Path) -> list[str]:
    """Relative paths that are not the same on both sides."""
    names = {
        path.relative_to(side)
        for side in (left, right)
        for path in side.rglob("*.py*")
        if path.suffix in {".py", ".pyi"}
    }
    return sorted(
        str(name)
        for name in names
        if not (
            (left / name).exists() and (right / name).exists() and filecmp.cmp(left / name, right / name, shallow=False)
        )
    )


def main() -> None:
    """Generate, or compare with `--check`."""
    with tempfile.TemporaryDirectory() as fresh:
        out = Path(fresh) / "im_proto"
        out.mkdir()
        generate(out)
        if "--check" in sys.argv[1:]:
            if changed := differences(out, TARGET):
                raise SystemExit("im_proto differs from proto/, run `make proto`: " + ", ".join(changed))
            return
        shutil.rmtree(TARGET, ignore_errors=True)
        shutil.copytree(out, TARGET)


if __name__ == "__main__":
    main()
