"""Run a fuzzer for as long as you like: python -m tests.fuzz.run TARGET DIRECTORY [options of libFuzzer]

The inputs of the corpus are written to the directory first, and what leads to new places of the code is added
there. To keep it: python -m tests.fuzz.run TARGET DIRECTORY --keep
Needs atheris: pip install --group fuzz
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["hypercore.wire", "hypercore.encoding", "hypercore.manifest"]):
    from tests.fuzz.corpus import read_corpus, write_corpus
    from tests.fuzz.wire_targets import TARGETS


def main(target: str, directory: str, *options: str) -> None:
    """Fuzz one target, or keep what an earlier run has found."""
    inputs = Path(directory)
    if options == ("--keep",):
        write_corpus(target, [file.read_bytes() for file in inputs.iterdir()])
        return
    inputs.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(read_corpus()[target]):
        (inputs / f"corpus-{number}").write_bytes(data)
    atheris.Setup([sys.argv[0], directory, *options], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
