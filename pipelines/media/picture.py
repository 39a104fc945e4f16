"""Reading a scene's picture."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

from vits.errors import UserError


def read_picture(path: Path) -> Image.Image:
    """The picture upright, RGB; what is transparent is shown on white. UserError if unreadable."""
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                ground = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(ground, picture)
            return picture.convert("RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise UserError(
            f"The picture {path} cannot be read.", "Draw it again, or put another in its place."
        ) from error
