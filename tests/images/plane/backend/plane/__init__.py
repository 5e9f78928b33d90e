"""STAND-IN for Plane's backend, for tests. It is not Plane and shares no code with it."""
