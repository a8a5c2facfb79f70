"""What the host says in the session's folder."""

from __future__ import annotations

import json
import os
from typing import Optional


class Session:
    """`session.json`. Raises OSError or ValueError when it cannot be read."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        with open(os.path.join(folder, "session.json"), encoding="utf-8") as file:
            options = json.load(file)
        self.token: str = options["token"]
        self.arguments: bool = options.get("arguments", True) is not False
        #: None = our choice, 0 = none.
        self.stack_signal: Optional[int] = options.get("stackSignal")

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)
