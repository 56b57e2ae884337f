"""Lock names as nodes: folders are persistent, a held name is an ephemeral node in its folder.

`claims/a/00001` is `<root>/locks/+claims/+a/=00001`. The signs distinguish a name from a folder of
the same text, and allow parts such as `.` or an empty one.
"""

import re

from common.locks.zookeeper.config import ZookeeperConfig

_NAME = re.compile(r"[A-Za-z0-9._/-]{1,200}")
_FOLDER, _LEAF = "+", "="


def top(config: ZookeeperConfig) -> str:
    """The folder of all names."""
    return f"{config.root}/locks"


def leaf(config: ZookeeperConfig, name: str) -> str:
    """The node that exists while the name is held. Raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a lock name: {name[:80]!r}")
    *folders, last = name.split("/")
    parts = [*(_FOLDER + part for part in folders), _LEAF + last]
    return "/".join([top(config), *parts])


def folder_of(path: str) -> str:
    """The folder that a node is in."""
    return path.rpartition("/")[0]


def read_child(folder_name: str, child: str) -> tuple[str, bool]:
    """The name of a node's child, and whether it is a folder; a folder's name ends with a slash.

    folder_name: with which the names in the node begin.
    """
    if child.startswith(_FOLDER):
        return f"{folder_name}{child[1:]}/", True
    return f"{folder_name}{child[1:]}", False
