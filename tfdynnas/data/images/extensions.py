"""The image files that can be read: their formats and extensions, and why others are not.

They are those that TensorFlow decodes, since the served graph must see what was scored.
"""

import os

READ = ("JPEG", "PNG", "GIF", "BMP", "WEBP")  # As Pillow calls them.
LISTED = "JPEG, PNG, GIF, BMP or WebP"
EXTENSIONS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".webp")
_OTHERS = {
    ".tif": "TIFF", ".tiff": "TIFF", ".avif": "AVIF", ".heic": "HEIC", ".heif": "HEIC",
    ".jxl": "JPEG XL", ".jp2": "JPEG 2000", ".psd": "PSD", ".svg": "SVG", ".ico": "ICO",
    ".ppm": "PPM", ".pgm": "PGM", ".tga": "TGA", ".eps": "EPS", ".pdf": "PDF", ".dng": "raw",
    ".nef": "raw", ".cr2": "raw", ".arw": "raw",
}


def is_image(name):
  """Whether a file is read as an image: its name has one of EXTENSIONS, upper or lower case."""
  return os.path.splitext(name)[1].lower() in EXTENSIONS


def reason(name):
  """Why a file without one of EXTENSIONS is ignored, a phrase for the user."""
  kind = _OTHERS.get(os.path.splitext(name)[1].lower())
  if kind:
    return f"{kind} images, which TensorFlow does not decode; convert them to PNG"
  return "no image by its extension"
