"""A picture that did not come out, which is no reason to end a story."""


class PictureFailed(Exception):
    """Why there is no picture; another seed may do."""
