"""Images: decoding, sizes, augmentation."""
