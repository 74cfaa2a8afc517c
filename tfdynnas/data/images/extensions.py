"""Which image files can be read: their formats, the extensions they go by, and why others are not.

What is read is what TensorFlow decodes, since the servable's graph has to see what was scored.
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
  """Whether a file of that name is read as an image: it has one of EXTENSIONS, in any case."""
  return os.path.splitext(name)[1].lower() in EXTENSIONS


def reason(name):
  """Why a file of a name without one of EXTENSIONS is passed over, a phrase for the user."""
  kind = _OTHERS.get(os.path.splitext(name)[1].lower())
  if kind:
    return f"{kind} images, which TensorFlow does not decode; convert them to PNG"
  return "no image by its extension"
