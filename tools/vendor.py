#!/usr/bin/env python3
"""Bring the files of others anew, as `service/page/vendor/manifest.toml` names them.

    python tools/vendor.py

It needs Python 3.11 or newer and `npm`. To take another version, change it in the manifest and run
this: it writes the file and its licence, and prints the hash to put into the manifest.
"""

import hashlib
import subprocess
import tarfile
import tempfile
import tomllib
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "service" / "page"
LICENCES = PAGE / "vendor" / "LICENCES.txt"


def fetch(package: str, version: str, folder: str) -> tarfile.TarFile:
    """A package as it was published."""
    command = ["npm", "pack", f"{package}@{version}", "--silent", "--pack-destination", folder]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    return tarfile.open(Path(folder) / name.strip())


def member(archive: tarfile.TarFile, name: str) -> bytes:
    """The content of one of its files. Raises `KeyError` where there is none of that name."""
    file = archive.extractfile(f"package/{name}")
    assert file is not None
    return file.read()


def main() -> None:
    """Write every file, and what each is licensed under."""
    licences = []
    for entry in tomllib.loads((PAGE / "vendor" / "manifest.toml").read_text())["file"]:
        with (
            tempfile.TemporaryDirectory() as folder,
            fetch(entry["package"], entry["version"], folder) as archive,
        ):
            content = member(archive, entry["member"])
            licence = member(archive, "LICENSE").decode().strip()
        (PAGE / entry["path"]).write_bytes(content)
        licences.append(f"{entry['package']} {entry['version']} ({entry['licence']})\n\n{licence}")
        digest = hashlib.sha256(content).hexdigest()
        print(f"{'as named' if digest == entry['sha256'] else digest}  {entry['path']}")  # noqa: T201
    LICENCES.write_text("\n\n----\n\n".join(licences) + "\n")


if __name__ == "__main__":
    main()
