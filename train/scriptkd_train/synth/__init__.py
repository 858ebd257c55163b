"""Rendering of word images: words, fonts, strokes, text effects, textures, composition and degradation."""
