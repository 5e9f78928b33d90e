"""The page that people start from, and what the kernel and the engine say, for Prometheus."""
