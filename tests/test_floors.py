"""The shape of the code: apps import downward only, and no two files need each other."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the ground up; `config` wires the rest and stands above them all.
FLOORS = [{"events", "api"}, {"catalog"}, {"stores"}, {"orders"}, {"partners"}, {"office"}, {"config"}]
FLOOR_OF = {app: number for number, apps in enumerate(FLOORS) for app in apps}


def modules() -> dict[str, Path]:
    """Return every module of the apps by its dotted name."""
    found = {}
    for app in FLOOR_OF:
        for path in (ROOT / app).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


class WithoutTypeHints(ast.NodeTransformer):
    """Drop what stands below `if TYPE_CHECKING:`, which no program ever runs."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        is_for_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return node.orelse if is_for_types else self.generic_visit(node)


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """Yield the modules of the project that one of them imports, anywhere in its code but for type hints alone."""
    for node in ast.walk(WithoutTypeHints().visit(ast.parse(path.read_text()))):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            wanted = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
        else:
            continue
        yield from (module for module in wanted if module in known and module != name)


@pytest.fixture(scope="module")
def arrows() -> dict[str, set[str]]:
    known = modules()
    return {name: set(imports(name, path, known)) for name, path in known.items()}


def test_the_map_is_of_the_real_project(arrows: dict[str, set[str]]) -> None:
    assert "catalog.models" in arrows["stores.models"]


def test_apps_import_downward_only(arrows: dict[str, set[str]]) -> None:
    def floor(module: str) -> tuple[int, str]:
        app = module.partition(".")[0]
        return FLOOR_OF[app], app

    upward = [
        f"{module} imports {other}"
        for module, others in arrows.items()
        for other in others
        if floor(module)[1] != floor(other)[1] and floor(other)[0] >= floor(module)[0]
    ]
    assert upward == []


def test_no_two_files_need_each_other(arrows: dict[str, set[str]]) -> None:
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
