"""How a stack runs. Each runtime is a folder here and speaks the protocol of `base`."""
