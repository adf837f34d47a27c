"""`cleandesk` on a machine that is no image: its system's files lie in a folder.

`python -m tests.system.box_with_updates FOLDER BYTES_PER_S run --config …`
"""

import sys
from pathlib import Path

from cleandesk import cli
from cleandesk.control import software, update_means
from cleandesk.control.software import Where

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    names = ("system.conf", "keyring.pem", "cmdline", "committed", "told")
    software.WHERE = Where(*(folder / name for name in names))
    update_means._MOST_PER_S = float(sys.argv[2])
    sys.argv = ["cleandesk", *sys.argv[3:]]
    cli.main()
