"""The inputs that the fuzzers begin with: one line each, in hex, for every target in corpus/."""

from pathlib import Path

_FILES = Path(__file__).with_name("corpus")


def read_corpus() -> dict[str, list[bytes]]:
    """Return the inputs of every target."""
    return {
        file.stem: [bytes.fromhex(line) for line in file.read_text().splitlines()]
        for file in sorted(_FILES.glob("*.txt"))
    }


def write_corpus(target: str, inputs: list[bytes]) -> None:
    """Replace the inputs of a target."""
    lines = sorted({data.hex() for data in inputs}, key=lambda line: (len(line), line))
    (_FILES / f"{target}.txt").write_text("".join(f"{line}\n" for line in lines))
