"""A digital human: one person's words and manner, learned from what they wrote."""
