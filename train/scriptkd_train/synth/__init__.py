"""Rendered word images: words, type, strokes, text effects, textures, composition and degradation."""
