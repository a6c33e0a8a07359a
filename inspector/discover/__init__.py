"""Ask the world: the engine what things are called, the kernel what is."""
