"""Writes a container image in the format of `docker save`.

Usage: layered-image.py IMAGE.tar.gz NAME:TAG CONFIG.json STORE-PATHS ROOT MAX-LAYERS

CONFIG.json is the image's configuration without its layers. STORE-PATHS is a
file with one store path per line. The content of the directory ROOT becomes the
topmost layer. The output is reproducible.
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path


def as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Removes everything that differs between two builds from the entry."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mtime = 1
    return entry


def directory(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = tarfile.DIRTYPE
    entry.mode = 0o755
    return as_root(entry)


def add_tree(tar: tarfile.TarFile, path: Path, name: str) -> None:
    """Adds a file, or a directory and its content, sorted by name."""
    tar.add(path, name, recursive=False, filter=as_root)
    if path.is_dir() and not path.is_symlink():
        for child in sorted(path.iterdir()):
            add_tree(tar, child, os.path.join(name, child.name))


def store_layer(paths: list[str]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(directory("nix"))
        tar.addfile(directory("nix/store"))
        for path in paths:
            add_tree(tar, Path(path), path.lstrip("/"))
    return data.getvalue()


def root_layer(root: Path) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for child in sorted(root.iterdir()):
            add_tree(tar, child, child.name)
    return data.getvalue()


def main(out: str, name: str, config_file: str, store_paths: str, root: str, max_layers: str) -> None:
    paths = Path(store_paths).read_text().split()
    # The last store layer contains all remaining paths.
    alone = paths[: int(max_layers) - 2]
    groups = [[path] for path in alone] + ([paths[len(alone) :]] if len(paths) > len(alone) else [])
    layers = [store_layer(group) for group in groups] + [root_layer(Path(root))]
    digests = [hashlib.sha256(layer).hexdigest() for layer in layers]

    config = json.loads(Path(config_file).read_text())
    config["rootfs"] = {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]}
    config["history"] = [
        {"created": config["created"], "comment": "store paths: " + " ".join(group)} for group in groups
    ] + [{"created": config["created"], "comment": "customisation layer"}]
    config_data = json.dumps(config).encode()
    config_name = hashlib.sha256(config_data).hexdigest() + ".json"
    layer_names = [f"{digest}/layer.tar" for digest in digests]
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": layer_names}]

    files = [
        *zip(layer_names, layers),
        (config_name, config_data),
        ("manifest.json", json.dumps(manifest).encode()),
    ]
    with (
        open(out, "wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for file_name, data in files:
            entry = tarfile.TarInfo(file_name)
            entry.size = len(data)
            tar.addfile(as_root(entry), io.BytesIO(data))


main(*sys.argv[1:])
