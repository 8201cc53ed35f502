"""The messages and services of proto/, generated once into build/ beside this file."""

import pathlib
import sys

import grpc_tools
from grpc_tools import protoc

HERE = pathlib.Path(__file__).resolve().parent
PROTO = HERE.parents[2] / "proto"
BUILD = HERE / "build"


def generate() -> None:
    """Writes the generated modules unless they are newer than the definitions, and makes them importable."""
    files = sorted(PROTO.glob("hotline/v1/*.proto"))
    stamp = BUILD / "stamp"
    if not stamp.exists() or stamp.stat().st_mtime < max(file.stat().st_mtime for file in files):
        BUILD.mkdir(exist_ok=True)
        common = pathlib.Path(grpc_tools.__file__).parent / "_proto"
        arguments = ["protoc", f"-I{PROTO}", f"-I{common}", f"--python_out={BUILD}", f"--grpc_python_out={BUILD}"]
        if protoc.main(arguments + [str(file) for file in files]) != 0:
            raise SystemExit("protoc failed")
        stamp.touch()
    sys.path.insert(0, str(BUILD))


generate()
