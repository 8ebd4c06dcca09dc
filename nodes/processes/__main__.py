"""``python -m nodes.processes ID``: ``novate node ID`` without what only the interface needs."""

import argparse
import sys
from pathlib import Path

from nodes.clock import WallClock
from nodes.engine import EngineError
from nodes.folder_meta import StateFolderError
from nodes.log_output import LogForm, LogLevel, LogOptions, begin_log
from nodes.processes.node_process import serve

EXIT_BAD_INPUT = 2


def main() -> int:
    """Serves one node until its standard input ends."""
    parser = argparse.ArgumentParser(prog="nodes.processes")
    parser.add_argument("id")
    parser.add_argument("--folder", dest="state", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--log-level", type=LogLevel)
    parser.add_argument("--log-format", type=LogForm)
    given = parser.parse_args()
    try:
        logs = LogOptions(given.log, given.log_level, given.log_format)
        begin_log(logs, WallClock(), given.id)
        serve(given.state, given.id, given.port)
    except (StateFolderError, EngineError, OSError) as error:
        sys.stderr.write(f"{given.id}: {error}\n")
        return EXIT_BAD_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
