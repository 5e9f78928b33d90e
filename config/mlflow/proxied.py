"""MLflow's app, with every artifact through the server.

With artifacts on S3, MLflow tells clients to fetch them from the store itself, under the name by
which the server knows the store: no name that a program outside the stack could find. There is no
setting against it. Without the two abilities the server does not offer it, and refuses when asked.
"""

from migrated import app
from mlflow.server import handlers

__all__ = ["app"]


class Nobody:
    """No artifact store is one."""


for ability in ("MultipartUploadMixin", "MultipartDownloadMixin"):
    if not hasattr(handlers, ability):
        raise ImportError(f"MLflow has moved {ability}: see what offers presigned addresses now")
    setattr(handlers, ability, Nobody)
