"""What a killed process leaves on disk: removed by the next one, while that of a living one is let alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hic_assets.work_folder import work_folder

HOLD = """
import sys, time
from pathlib import Path
from hic_assets.work_folder import work_folder
folder = work_folder(Path(sys.argv[1]))
(folder / "body").write_text("half a body")
print(folder, flush=True)
if sys.argv[2] == "stay":
    time.sleep(60)
"""


def held(parent: Path, how: str) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(parent), how], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_folders_of_killed_processes_are_removed_by_the_next(tmp_path: Path) -> None:
    (dead, of_dead), (alive, of_alive) = held(tmp_path, "stay"), held(tmp_path, "stay")
    try:
        dead.kill()
        dead.wait()
        assert (of_dead / "body").exists(), "kill -9 leaves no time to clear up"
        own = work_folder(tmp_path)
        assert sorted(tmp_path.iterdir()) == sorted([of_alive, own])
        assert (of_alive / "body").exists()
        assert work_folder(tmp_path) == own, "one folder a process"
    finally:
        alive.kill()
        alive.wait()


def test_a_process_that_ends_leaves_nothing(tmp_path: Path) -> None:
    process, folder = held(tmp_path, "go")
    assert process.wait(20) == 0
    assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []
