"""Photos for the gallery, small pictures of its drawings, and the sheet of all of them."""

import sys
from pathlib import Path

from PIL import Image, ImageDraw

EDGE_PX = 600
THUMB_PX = 220
GAP_PX = 12
COLUMNS = 6


def photos(folder):
    """The photos: in the public domain (astronaut: NASA) or CC0 (coffee: R. Michetti, chelsea: S. van der Walt)."""
    from skimage import data

    for name, pixels in (
        ("astronaut", data.astronaut()),
        ("coffee", data.coffee()[:, 100:500]),
        ("chelsea", data.chelsea()[:, 75:375]),
    ):
        Image.fromarray(pixels).save(Path(folder) / f"{name}.png")


def small(source, target):
    """A picture of few colors and few bytes."""
    picture = Image.open(source).convert("RGB")
    picture.thumbnail((EDGE_PX, EDGE_PX), Image.LANCZOS)
    picture.quantize(32, dither=Image.Dither.NONE).save(target, optimize=True)


def sheet(folder):
    """All pictures, small, with their names."""
    names = sorted(path for path in Path(folder).glob("*.png") if path.stem != "sheet")
    row_px = THUMB_PX + GAP_PX + 14
    rows = -(-len(names) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * (THUMB_PX + GAP_PX) + GAP_PX, rows * row_px + GAP_PX), "white")
    draw = ImageDraw.Draw(whole)
    for index, path in enumerate(names):
        left = GAP_PX + index % COLUMNS * (THUMB_PX + GAP_PX)
        top = GAP_PX + index // COLUMNS * row_px
        whole.paste(Image.open(path).convert("RGB").resize((THUMB_PX, THUMB_PX), Image.LANCZOS), (left, top))
        draw.text((left, top + THUMB_PX + 2), path.stem, fill="#555555")
    whole.quantize(64, dither=Image.Dither.NONE).save(Path(folder) / "sheet.png", optimize=True)


if __name__ == "__main__":
    {"photos": photos, "small": small, "sheet": sheet}[sys.argv[1]](*sys.argv[2:])
