"""The command behind `make connector NAME=x`."""

import sys
from pathlib import Path

import tillbridge.connectors
from tillbridge.app.scaffold.connector import NameRefused, write_connector


def main(words: list[str]) -> int:
    """Write the connector named by the only word; 0 when done, 2 when the name will not do."""
    if len(words) != 1:
        print("usage: make connector NAME=x", file=sys.stderr)
        return 2
    folder = Path(tillbridge.connectors.__path__[0])
    try:
        written = write_connector(words[0], folder)
    except NameRefused as problem:
        print(f"make connector: {problem}", file=sys.stderr)
        return 2
    for path in written:
        print(f"wrote {path.relative_to(folder.parents[2])}")
    print(f"next: read {words[0]}/README.md, put a recording into samples/, write wire.py")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
