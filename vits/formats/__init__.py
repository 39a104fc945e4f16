"""Other people's checkpoints, in and out. Their names for things live here and nowhere else."""
