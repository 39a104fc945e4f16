"""The offline illustrator: pages of a picture book, cut and pasted from a set of pictograms."""
