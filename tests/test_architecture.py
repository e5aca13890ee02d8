"""Imports point one way, within hypercore and between the packages. The rules are tested, too."""

import ast
import importlib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["hypercore", "benchmarks", "exporter"]

# From the bottom to the top: a part of the package imports only parts of layers before its own, or itself.
LAYERS = [
    ["errors"],
    ["flat_tree", "bitfield", "encoding", "js_json", "ids", "sodium"],
    ["crypto", "codecs"],
    ["manifest", "encryption"],
    ["merkle"],
    ["proofs"],
    ["signing"],
    ["wire"],
    ["storage"],
    ["core"],
    ["corestore"],
    ["hyperbee", "hyperblobs"],
    ["hyperdrive"],
    ["replication"],
    ["aio"],
    ["cli"],
    ["__main__"],
]
HEIGHTS = {part: height for height, parts in enumerate(LAYERS) for part in parts}


def modules_of(root, package):
    """Return the syntax trees of a package's modules by their dotted names."""
    files = sorted((root / package).rglob("*.py"))
    return {
        name_of(file.relative_to(root)): ast.parse(file.read_text())
        for file in files
        if "node_modules" not in file.parts
    }


def name_of(path):
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def imports_of(root, tree):
    """Return the dotted names of what a module imports, wherever in it; a submodule by its own name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name the whole path"
            assert node.module
            directory = root / node.module.replace(".", "/")
            for alias in node.names:
                is_module = (directory / alias.name).is_dir() or (directory / f"{alias.name}.py").is_file()
                found.add(f"{node.module}.{alias.name}" if is_module else node.module)
    return found


def imports_between(root, package):
    """Return what each module of a package imports."""
    return {name: imports_of(root, tree) for name, tree in modules_of(root, package).items()}


def part_of(name):
    """Return the part of the package that a module of hypercore belongs to; None for the package itself."""
    return name.split(".")[1] if "." in name else None


def layer_violations(root):
    """Return each import in hypercore that does not point downward."""
    return [
        f"{name} imports {target}"
        for name, targets in imports_between(root, "hypercore").items()
        for target in targets
        if target.split(".")[0] == "hypercore" and not points_downward(part_of(name), part_of(target))
    ]


def points_downward(part, target):
    """Return whether one part may import another; circles within a layer are another rule's business."""
    if part is None or part == target:
        return True
    return HEIGHTS.get(target, len(LAYERS)) <= HEIGHTS.get(part, -1)


# What each package may know of the others.
ALLOWED = {
    "hypercore": [],
    "exporter": ["hypercore", "hypercore.aio", "hypercore.errors"],
    "benchmarks": [],
}
# The experiments measure hypercore, and so does the comparison with the reference.
EXPERIMENTS = ["benchmarks.test_", "benchmarks.peers."]


def package_violations(root):
    """Return each import of another package that is not allowed."""
    return [
        f"{name} imports {target}"
        for package in PACKAGES
        for name, targets in imports_between(root, package).items()
        for target in targets
        if target.split(".")[0] in PACKAGES
        and target.split(".")[0] != package
        and target not in allowed_to(name)
    ]


def allowed_to(name):
    if name.startswith(tuple(EXPERIMENTS)):
        return ["hypercore", "hypercore.aio", "hypercore.errors"]
    return ALLOWED[name.split(".")[0]]


def circles(root):
    """Return the first circle of imports of each package, as module names."""
    found = []
    for package in PACKAGES:
        graph = imports_between(root, package)
        try:
            TopologicalSorter({name: targets & graph.keys() for name, targets in graph.items()}).prepare()
        except CycleError as error:
            found.append(error.args[1])
    return found


def private_imports(root):
    """Return each name with an underscore that a module imports from another one."""
    return [
        f"{name} imports {node.module}.{alias.name}"
        for package in PACKAGES
        for name, tree in modules_of(root, package).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PACKAGES
        for alias in node.names
        if alias.name.startswith("_")
    ]


RULES = {
    "layers": layer_violations,
    "packages": package_violations,
    "circles": circles,
    "private-names": private_imports,
}


def test_the_layers_of_hypercore_are_all_its_parts():
    parts = {part_of(name) for name in modules_of(ROOT, "hypercore")} - {None}
    assert parts == HEIGHTS.keys()


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_project_keeps_the_rule(rule):
    assert rule(ROOT) == []


PUBLIC = [name for name in modules_of(ROOT, "hypercore") if (ROOT / name.replace(".", "/")).is_dir()]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_package_lists_every_name_that_it_offers(name):
    tree = modules_of(ROOT, "hypercore")[name]
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    module = importlib.import_module(name)
    listed = module.__all__
    assert set(listed) == imported
    assert len(set(listed)) == len(listed)
    assert all(hasattr(module, each) for each in listed)


# --- the rules catch what they are for ----------------------------------------------------------------------

PLANTED = {
    "upward": ("layers", "hypercore/storage/leveldb.py", "from hypercore.core import Hypercore"),
    "upward-as-a-module": ("layers", "hypercore/crypto.py", "from hypercore import merkle"),
    "upward-by-plain-import": ("layers", "hypercore/errors.py", "import hypercore.encoding as e"),
    "upward-inside-a-function": ("layers", "hypercore/ids.py", "def f():\n    from hypercore import crypto"),
    "the-whole-package-from-inside": ("layers", "hypercore/core/state.py", "from hypercore import KeyPair"),
    "into-a-part-without-layer": ("layers", "hypercore/core/state.py", "from hypercore.extra import a"),
    "from-a-part-without-layer": ("layers", "hypercore/extra.py", "from hypercore.errors import a"),
    "hypercore-knows-the-exporter": ("packages", "hypercore/core/state.py", "from exporter import logs"),
    "hypercore-knows-the-benchmarks": ("packages", "hypercore/merkle.py", "import benchmarks"),
    "exporter-knows-the-inside": ("packages", "exporter/loop.py", "from hypercore.storage import LevelDB"),
    "exporter-knows-a-module": ("packages", "exporter/loop.py", "from hypercore import crypto"),
    "exporter-knows-the-benchmarks": ("packages", "exporter/loop.py", "from benchmarks.plugin import a"),
    "plugin-knows-hypercore": ("packages", "benchmarks/plugin.py", "from hypercore import Hypercore"),
    "plugin-knows-the-exporter": ("packages", "benchmarks/plugin.py", "import exporter.loop"),
    "experiment-knows-the-inside": ("packages", "benchmarks/test_bee.py", "import hypercore.core"),
    "circle-of-two": ("circles", "hypercore/errors.py", "from hypercore import encoding"),
    "private-name": ("private-names", "exporter/loop.py", "from exporter.logs import _format"),
}

ALLOWED_IMPORTS = {
    "hypercore/crypto.py": "from hypercore.errors import BadArgument\nfrom hypercore import ids",
    "hypercore/merkle.py": "import hypercore.crypto\nimport struct",
    "hypercore/storage/leveldb.py": "from hypercore.storage.records import a\nfrom hypercore import merkle",
    "hypercore/__init__.py": "from hypercore.merkle import a\nfrom hypercore.storage import b",
    "exporter/loop.py": "from hypercore import Corestore\nfrom hypercore.errors import a\nimport exporter",
    "benchmarks/plugin.py": "from benchmarks.report import a\nimport pytest",
    "benchmarks/test_bee.py": "from hypercore import Hyperbee, aio\nfrom benchmarks.plugin import sizes",
    "benchmarks/peers/ours.py": "from hypercore import Hyperbee",
}


@pytest.fixture
def project(tmp_path):
    """A small project that keeps all rules; the files that it imports exist."""
    modules = [
        "errors",
        "ids",
        "encoding",
        "extra",
        "core/__init__",
        "core/state",
        "aio/__init__",
        "storage/__init__",
        "storage/records",
    ]
    empty = [f"hypercore/{module}.py" for module in modules] + ["exporter/logs.py", "benchmarks/report.py"]
    files = dict.fromkeys(empty, "") | ALLOWED_IMPORTS | {"hypercore/encoding.py": "import hypercore.errors"}
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_allowed_imports_keep_the_rule(project, rule):
    assert rule(project) == []


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED.values(), ids=PLANTED)
def test_a_planted_violation_is_caught(project, rule, path, text):
    (project / path).write_text(text)
    assert len(RULES[rule](project)) == 1


def test_a_relative_import_is_caught(project):
    (project / "exporter/loop.py").write_text("from . import logs")
    with pytest.raises(AssertionError, match="name the whole path"):
        package_violations(project)
