"""Secrets: how values are made, where they are kept, what a service is given."""
