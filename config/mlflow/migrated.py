"""MLflow's app, with its database brought up to date before the first request.

Each kind of store does it at the first request that needs it. Two first ones at once, such as a
health check and the portal, would wait for each other without end.
"""

from mlflow.server import handlers
from mlflow.server.fastapi_app import app

__all__ = ["app"]

handlers._get_tracking_store()
handlers._get_model_registry_store()
