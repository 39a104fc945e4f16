"""Image models: Stable Diffusion on this machine, and servers that draw."""
