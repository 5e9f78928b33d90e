"""Artifacts that MLflow kept in files natively go to the object store, where it looks on an engine.

The addresses in MLflow's database are the same in both. What was taken over once is noted, so that
what people delete later stays deleted; the files are left for the way back.
"""

from __future__ import annotations

from pathlib import Path

from monolith.bootstrap import s3
from monolith.bootstrap.site import Site
from monolith.files import write_atomic

BUCKET, PREFIX = "mlflow", "artifacts"
NOTE = "artifacts.taken-over"


def ensure(site: Site) -> list[str]:
    """Upload what is new among MLflow's files. Returns what was changed, in words."""
    folder = site.data / "mlflow" / PREFIX
    note = folder.with_name(NOTE)
    taken = set(note.read_text().splitlines()) if note.is_file() else set()
    files = {str(file.relative_to(folder)): file for file in _files(folder)}
    new = sorted(files.keys() - taken)
    if not new:
        return []
    store = s3.connect(site)
    for name in new:
        with s3.told():
            store.objects.fput_object(BUCKET, f"{PREFIX}/{name}", str(files[name]))
    write_atomic(note, "".join(f"{name}\n" for name in sorted(taken | files.keys())))
    return [f"{len(new)} files that MLflow kept natively"]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
