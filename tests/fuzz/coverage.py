"""Coverage of compiled code: every branch of a kernel counts, and its tables are made tiny.

Fuzzers for Python see bytecode, and the kernel has none when it runs. So its modules are changed
while they are imported: each body of a branch or loop begins with a call that adds one to a byte of
a counter map. The map lies at a fixed address, so compiled code can be cached. Constants of the
kernel can be set too: with room for 16 rows and 24 names every way to be full is a few bytes away.
"""

import ast
import ctypes
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

PER_MODULE = 512
MAP_BYTES = 32 * PER_MODULE
_ADDRESS = 0x6B00_0000_0000  # far from where Linux puts anything by itself
_READ_WRITE, _PRIVATE, _ANONYMOUS, _NOT_OVER_OTHERS = 3, 0x02, 0x20, 0x100000
_DECORATORS = frozenset(("compiled", "inlined"))


def counters() -> npt.NDArray[np.uint8]:
    """The counter map, made on the first call; one per process."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    flags = _PRIVATE | _ANONYMOUS | _NOT_OVER_OTHERS
    found = libc.mmap(_ADDRESS, MAP_BYTES, _READ_WRITE, flags, -1, 0)
    if found != _ADDRESS:
        raise OSError(ctypes.get_errno(), "no memory at the counter map's address")
    return np.ctypeslib.as_array((ctypes.c_uint8 * MAP_BYTES).from_address(_ADDRESS))


@cast(Callable[[Callable[..., Any]], Callable[..., Any]], intrinsic)
def edge(_: Any, number: Any) -> Any:
    """Add one to the counter."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.add(args[0], ir.Constant(ir.IntType(64), _ADDRESS))
        pointer = builder.inttoptr(place, ir.IntType(8).as_pointer())
        builder.store(builder.add(builder.load(pointer), ir.Constant(ir.IntType(8), 1)), pointer)
        return context.get_dummy_value()

    return types.none(types.int64), generate


class _Counting(ast.NodeTransformer):
    """Puts a call of `edge` at the begin of every body within compiled functions."""

    def __init__(self, first: int, constants: Mapping[str, int]) -> None:
        self._first = first
        self._next = first
        self._inside = False
        self._constants = constants

    def _call(self) -> ast.stmt:
        number = self._next
        self._next += 1
        assert number < self._first + PER_MODULE
        return ast.parse(f"_edge({number})").body[0]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        names = {one.id for one in node.decorator_list if isinstance(one, ast.Name)}
        if not names & _DECORATORS:
            return node
        self._inside = True
        self.generic_visit(node)
        self._inside = False
        node.body.insert(1 if ast.get_docstring(node) else 0, self._call())
        return node

    def _visit_bodies(self, node: ast.If | ast.While | ast.For) -> ast.AST:
        self.generic_visit(node)
        if self._inside:
            node.body.insert(0, self._call())
            if isinstance(node, ast.If):
                node.orelse.insert(0, self._call())
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        return self._visit_bodies(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        return self._visit_bodies(node)

    def visit_For(self, node: ast.For) -> ast.AST:
        return self._visit_bodies(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        return self._constant(node, node.target)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        return self._constant(node, node.targets[0])

    def _constant(self, node: ast.Assign | ast.AnnAssign, target: ast.expr) -> ast.AST:
        if not self._inside and isinstance(target, ast.Name) and target.id in self._constants:
            node.value = ast.Constant(self._constants[target.id])
        return node


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles a changed source, and never reads or writes bytecode files."""

    def __init__(self, name: str, path: str, first: int, constants: Mapping[str, int]) -> None:
        super().__init__(name, path)
        self._counting = _Counting(first, constants)

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = self._counting.visit(ast.parse(self.get_data(path)))
        tree.body.insert(1, ast.parse("from tests.fuzz.coverage import edge as _edge").body[0])
        return compile(ast.fix_missing_locations(tree), path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, modules: Mapping[str, Path], constants: Mapping[str, int]) -> None:
        self._modules = modules
        self._order = sorted(modules)
        self._constants = constants

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        source = self._modules.get(fullname)
        if source is None:
            return None
        first = self._order.index(fullname) * PER_MODULE
        loader = _Loader(fullname, str(source), first, self._constants)
        return importlib.util.spec_from_file_location(fullname, source, loader=loader)


def count_branches_of(packages: Sequence[str], constants: Mapping[str, int]) -> None:
    """Have these packages' modules counted once they are imported; call before that.

    constants: values for assignments of these names at the top of any of the modules.
    """
    modules = {}
    for package in packages:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        for folder in spec.submodule_search_locations or ():
            for source in Path(folder).glob("*.py"):
                if source.stem not in ("__init__", "build", "lanes"):
                    modules[f"{package}.{source.stem}"] = source
    assert len(modules) * PER_MODULE <= MAP_BYTES
    assert not modules.keys() & sys.modules.keys(), "imported already"
    sys.meta_path.insert(0, _Finder(modules, constants))
