"""Container images that are made from package registries, where no image registry is reached."""
